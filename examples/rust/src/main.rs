//! A web server without dependencies.
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::{env, thread};

const BODY: &str = "Hello from Rust\n";

fn answer(mut client: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    while let Some(line) = lines.next() {
        if line?.is_empty() {
            break;
        }
    }
    write!(
        client,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        BODY.len(),
        BODY
    )
}

fn main() -> std::io::Result<()> {
    let port = env::var("PORT").expect("PORT is not set");
    for client in TcpListener::bind(format!("127.0.0.1:{port}"))?.incoming() {
        let client = client?;
        thread::spawn(move || answer(client));
    }
    Ok(())
}
