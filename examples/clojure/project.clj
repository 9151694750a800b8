(defproject hello "1.0"
  :dependencies [[org.clojure/clojure "1.11.1"]]
  :main hello.server
  :profiles {:uberjar {:aot :all}})
