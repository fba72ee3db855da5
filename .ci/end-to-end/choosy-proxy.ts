/** A way to a server that lets new connections through only while it is allowed; what is open stays open. */
import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export class ChoosyProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  refused = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `mayPass` is asked at each new connection. */
  static async listen(targetPort: number, mayPass: () => Promise<boolean>): Promise<ChoosyProxy> {
    const server = createServer();
    const proxy = new ChoosyProxy(server);
    server.on('connection', (socket) => void proxy.#accept(socket, targetPort, mayPass));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #accept(socket: Socket, port: number, mayPass: () => Promise<boolean>): Promise<void> {
    this.#keep(socket);
    if (!(await mayPass())) {
      this.refused += 1;
      socket.destroy();
      return;
    }
    const target = this.#keep(connect(port, '127.0.0.1'));
    socket.pipe(target).pipe(socket);
    socket.on('close', () => target.destroy());
    target.on('close', () => socket.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
