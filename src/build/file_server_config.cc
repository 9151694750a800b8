// The configuration of nginx and php-fpm, as text.
#include "build/file_server_config.hh"

namespace pushrod {

namespace {

constexpr const char* kHead = R"(daemon off;
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  server_tokens off;
  sendfile on;
  tcp_nopush on;
  charset utf-8;
  charset_types text/css text/plain text/xml text/csv text/javascript application/json application/rss+xml;
  log_not_found off;
  client_body_temp_path /tmp/nginx-body;
  proxy_temp_path /tmp/nginx-proxy;
  fastcgi_temp_path /tmp/nginx-fastcgi;
  uwsgi_temp_path /tmp/nginx-uwsgi;
  scgi_temp_path /tmp/nginx-scgi;
  default_type application/octet-stream;
  types {
    text/html html htm;
    text/css css;
    text/plain txt md;
    text/xml xml;
    text/csv csv;
    text/calendar ics;
    text/vtt vtt;
    text/javascript js mjs;
    application/json json map;
    application/ld+json jsonld;
    application/geo+json geojson;
    application/manifest+json webmanifest;
    application/atom+xml atom;
    application/rss+xml rss;
    application/xhtml+xml xhtml;
    application/wasm wasm;
    application/pdf pdf;
    application/zip zip;
    application/gzip gz tgz;
    image/svg+xml svg svgz;
    image/png png;
    image/jpeg jpg jpeg;
    image/gif gif;
    image/webp webp;
    image/avif avif;
    image/bmp bmp;
    image/tiff tif tiff;
    image/x-icon ico;
    font/woff woff;
    font/woff2 woff2;
    font/ttf ttf;
    font/otf otf;
    audio/mpeg mp3;
    audio/ogg ogg oga;
    audio/mp4 m4a;
    audio/wav wav;
    audio/flac flac;
    video/mp4 mp4 m4v;
    video/webm webm;
    video/ogg ogv;
    video/quicktime mov;
  }
  gzip on;
  gzip_vary on;
  gzip_proxied any;
  gzip_types text/css text/plain text/xml text/csv text/javascript application/json application/ld+json
    application/geo+json application/manifest+json application/atom+xml application/rss+xml application/wasm
    image/svg+xml image/bmp font/ttf font/otf;
  map $http_x_forwarded_proto $https_of_client { https on; default ""; }
  server {
    listen 127.0.0.1:@PORT@;
    root /server/root;
    absolute_redirect off;
    location ~ /\.(?!well-known/) { return 404; }
    location ~ ^/(Procfile|pushrod\.toml|app\.json|composer\.(json|lock)|vendor/|node_modules/) { return 404; }
)";

constexpr const char* kFiles = R"(    index index.html index.htm;
    error_page 403 404 =404 /404.html;
    location ~ \.[A-Za-z0-9]+$ { try_files $uri $uri/ =404; }
    location / { include /server/fallback.conf; }
  }
}
)";

constexpr const char* kPhp = R"(    index index.php index.html;
    client_max_body_size 0;
    location / { try_files $uri $uri/ /index.php$is_args$args; }
    location ~ \.php$ {
      try_files $uri =404;
      fastcgi_pass unix:/tmp/php-fpm.sock;
      fastcgi_read_timeout 1h;
      fastcgi_param SCRIPT_FILENAME $realpath_root$fastcgi_script_name;
      fastcgi_param DOCUMENT_ROOT $realpath_root;
      fastcgi_param SCRIPT_NAME $fastcgi_script_name;
      fastcgi_param DOCUMENT_URI $document_uri;
      fastcgi_param REQUEST_URI $request_uri;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param SERVER_PROTOCOL $server_protocol;
      fastcgi_param REQUEST_SCHEME $scheme;
      fastcgi_param HTTPS $https_of_client if_not_empty;
      fastcgi_param GATEWAY_INTERFACE CGI/1.1;
      fastcgi_param SERVER_SOFTWARE nginx;
      fastcgi_param SERVER_NAME $host;
      fastcgi_param SERVER_ADDR $server_addr;
      fastcgi_param SERVER_PORT $server_port;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param REMOTE_PORT $remote_port;
      fastcgi_param REDIRECT_STATUS 200;
      fastcgi_param HTTP_PROXY "";
    }
  }
}
)";

}  // namespace

std::string render_nginx(bool php) { return std::string(kHead) + (php ? kPhp : kFiles); }

const char* const kPhpFpmConfig = R"([global]
error_log = /proc/self/fd/2
log_level = warning
daemonize = no
[web]
listen = /tmp/php-fpm.sock
pm = dynamic
pm.max_children = @CHILDREN@
pm.start_servers = 1
pm.min_spare_servers = 1
pm.max_spare_servers = @CHILDREN@
pm.max_requests = 1000
clear_env = no
catch_workers_output = yes
decorate_workers_output = no
)";

}  // namespace pushrod
