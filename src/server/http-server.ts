import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { FastifyReply } from 'fastify';

/** How long a closing connection is still read, in milliseconds. */
const LINGERING_TIME = 1000;

/**
 * How long an idle connection stays open, in milliseconds. Must exceed the keep-alive timeout of the proxies in front.
 */
const KEEP_ALIVE_TIMEOUT = 72_000;

/** How often Node.js looks for requests that are overdue, in milliseconds. */
const CONNECTIONS_CHECKING_INTERVAL = 1000;

/** A request target in absolute form: its host and its path. */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]+)(.*)$/is;

/** The newest response of each connection. */
const newestResponses = new WeakMap<Socket, ServerResponse>();

/**
 * Creates the HTTP server.
 *
 * @param handleRequest starts to process a request
 * @param requestTimeout how long a request may take to arrive, in milliseconds
 */
export function createHttpServer(handleRequest: RequestListener, requestTimeout: number): Server {
  const listener: RequestListener = (request, response) => {
    const { socket } = request;
    // After a response that closes the connection, nothing more is processed (RFC 9112, section 9.6).
    if (socket.writableEnded || socket.destroyed) return;
    if (!request.url?.startsWith('/')) toOriginForm(request);
    const current = newestResponses.get(socket);
    if (current === undefined || !isInProgress(current)) {
      newestResponses.set(socket, response);
      handleRequest(request, response);
    } else {
      closeInsteadOfPipelining(current, request);
    }
  };
  const server = createServer(
    {
      headersTimeout: requestTimeout,
      // Only for bodies that no handler reads. For all others, `shedLoad` responds after `requestTimeout`.
      requestTimeout: 2 * requestTimeout,
      connectionsCheckingInterval: CONNECTIONS_CHECKING_INTERVAL,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
      // Node.js would respond without a body. `checkRequestHeads` responds with problem details.
      requireHostHeader: false,
    },
    listener,
  );
  // Without this listener, Node.js would respond to an unsupported `Expect` itself, without a body.
  server.on('checkExpectation', listener);
  // A client may close its side of the connection and still wait for the response.
  (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
  // By default, Node.js silently drops the headers after the 1000th. Their total size is limited anyway.
  server.maxHeadersCount = 0;
  server.on('connection', (socket) => {
    enableLingeringClose(socket);
    // After a CONNECT request, Node.js leaves the socket without an error listener.
    socket.on('error', () => undefined);
  });
  return server;
}

/**
 * Also listens on another address, on the same port. Its connections are those of the server, with the same limits,
 * until the server closes.
 *
 * @param server a server that listens already
 * @throws Error with a `code` when the address cannot be used
 */
export async function listenOnAnotherAddress(server: Server, host: string): Promise<void> {
  // With the options of an HTTP server, because that handles the connections.
  const listener = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.emit('connection', socket);
  });
  listener.maxConnections = server.maxConnections;
  listener.listen((server.address() as AddressInfo).port, host);
  await once(listener, 'listening');
  const closeServer = server.close.bind(server);
  server.close = (callback) => {
    const closed = once(listener, 'close');
    listener.close();
    return closeServer((error) => {
      void closed.then(() => callback?.(error));
    });
  };
}

/**
 * Makes this the last response on its connection. A `Connection` header alone would not stop Node.js from reading on.
 */
export function closeAfterResponse({ raw }: FastifyReply): void {
  raw.shouldKeepAlive = false;
}

/**
 * Responds to what could not be read as HTTP, and closes the connection.
 *
 * @param serializeResponse serializes the response, to the current request if its body is malformed. Not called if
 *   another response is in progress on the connection
 */
export function endConnection(
  socket: Socket,
  serializeResponse: (request?: IncomingMessage) => string,
): void {
  const current = newestResponses.get(socket);
  // The malformed bytes are in the body of the current request, or else behind that request.
  const isInBody = current !== undefined && !current.req.complete;
  if (current !== undefined && isInProgress(current) && (current.headersSent || !isInBody)) {
    closeAfterCurrent(current);
    return;
  }
  // A request may have got its response before its body turned out to be malformed.
  const hasResponse = isInBody && current.headersSent;
  if (!hasResponse && socket.writable) socket.write(serializeResponse(isInBody ? current.req : undefined));
  socket.destroySoon();
}

/** Replaces a request target in absolute form. Its host takes precedence over `Host` (RFC 9112, section 3.2.2). */
function toOriginForm(request: IncomingMessage): void {
  const [, host, path = ''] = ABSOLUTE_FORM.exec(request.url ?? '') ?? [];
  if (host === undefined) return;
  request.headers.host = host;
  request.url = path.startsWith('/') ? path : `/${path}`;
}

/**
 * A flushed response is complete even before its events are emitted, unless the connection is to be closed after it.
 */
function isInProgress({ closed, shouldKeepAlive, writableFinished }: ServerResponse): boolean {
  return !closed && !(writableFinished && shouldKeepAlive);
}

/**
 * Ends the connection after the current response, without processing the pipelined request. Node.js would process both
 * at the same time. Clients retry a request on a connection that was closed (RFC 9112, section 9.3.2).
 */
function closeInsteadOfPipelining(current: ServerResponse, pipelined: IncomingMessage): void {
  pipelined.socket.pause();
  closeAfterCurrent(current);
}

function closeAfterCurrent(current: ServerResponse): void {
  const { socket } = current.req;
  current.shouldKeepAlive = false;
  // Once the headers are sent, Node.js no longer closes the connection by itself.
  if (current.headersSent) {
    current.once('close', () => {
      socket.destroySoon();
    });
  }
}

/**
 * Keeps reading a connection for a while after its last response (RFC 9112, section 9.6). Otherwise the operating
 * system resets the connection if the client is still sending, and the client may lose the response. Node.js calls
 * `destroySoon` after the last response of a connection.
 */
function enableLingeringClose(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    // Discarded, not parsed: no further request is processed.
    socket.removeAllListeners('data').on('data', () => undefined);
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGERING_TIME).unref();
    socket.once('close', () => {
      clearTimeout(timer);
    });
  };
}
