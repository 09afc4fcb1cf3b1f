import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy between a service and its database that simulates network failures. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private isPaused = false;
  private delay = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async to(target: number): Promise<TcpProxy> {
    const server = createServer((client) => {
      const upstream = connect(target, '127.0.0.1');
      proxy.add(client, upstream);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new TcpProxy(server, (server.address() as AddressInfo).port);
    return proxy;
  }

  private add(client: Socket, upstream: Socket): void {
    client.pipe(upstream);
    upstream.on('data', (data) => {
      if (this.delay === 0) client.write(data);
      else setTimeout(() => client.write(data), this.delay);
    });
    upstream.once('end', () => client.end());
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      if (this.isPaused) socket.pause();
    }
  }

  /** Delays everything that the database sends, in milliseconds. */
  delayResponses(milliseconds: number): void {
    this.delay = milliseconds;
  }

  /** Stops the traffic in both directions. */
  pause(): void {
    this.isPaused = true;
    for (const socket of this.sockets) socket.pause();
  }

  resume(): void {
    this.isPaused = false;
    for (const socket of this.sockets) socket.resume();
  }

  /** Destroys every connection. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Destroys every connection and refuses new ones. */
  async refuse(): Promise<void> {
    this.server.close();
    this.cut();
    await once(this.server, 'close');
  }

  async accept(): Promise<void> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }
}
