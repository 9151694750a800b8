defmodule Hello do
  use Application

  @body "Hello from Elixir\n"

  def start(_type, _arguments) do
    port = String.to_integer(System.fetch_env!("PORT"))
    options = [:binary, ip: {127, 0, 0, 1}, packet: :http_bin, active: false, reuseaddr: true]
    {:ok, listener} = :gen_tcp.listen(port, options)
    Supervisor.start_link([{Task, fn -> accept(listener) end}], strategy: :one_for_one)
  end

  defp accept(listener) do
    {:ok, client} = :gen_tcp.accept(listener)
    {:ok, task} = Task.start(fn -> answer(client) end)
    :gen_tcp.controlling_process(client, task)
    accept(listener)
  end

  defp answer(client) do
    case :gen_tcp.recv(client, 0) do
      {:ok, :http_eoh} ->
        :gen_tcp.send(client, [
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n",
          "Content-Length: #{byte_size(@body)}\r\n\r\n",
          @body
        ])

        :gen_tcp.close(client)

      {:ok, _} ->
        answer(client)

      {:error, _} ->
        :gen_tcp.close(client)
    end
  end
end
