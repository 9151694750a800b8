(ns hello.server
  (:gen-class)
  (:import (com.sun.net.httpserver HttpHandler HttpServer)
           (java.net InetSocketAddress)))

(def greeting "Hello from Clojure\n")

(defn -main []
  (let [server (HttpServer/create (InetSocketAddress. "127.0.0.1" (parse-long (System/getenv "PORT"))) 0)
        body (.getBytes greeting)]
    (.createContext server "/"
                    (reify HttpHandler
                      (handle [_ exchange]
                        (.sendResponseHeaders exchange 200 (count body))
                        (with-open [stream (.getResponseBody exchange)]
                          (.write stream body)))))
    (.start server)))
