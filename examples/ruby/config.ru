run ->(env) { [200, { "Content-Type" => "text/plain" }, ["Hello from Ruby\n"]] }
