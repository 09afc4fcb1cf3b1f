import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { PROBLEM_JSON, problemDetails } from '../common/problem-details.js';
import { validateRequestHead } from './request-head.js';
import { DATA_HEADERS } from './security-headers.js';

/** How long a connection that is answered for good still takes what its caller sends, in milliseconds. */
const LINGERING_TIME = 1000;

/** How long a connection stays open without a request, in milliseconds: longer than the proxies in front keep it. */
const KEEP_ALIVE_TIMEOUT = 72_000;

/** How many requests of one connection may wait for their turn, and how many of all. Beyond that they take too much. */
const MAX_WAITING = 100;
const MAX_WAITING_IN_ALL = 1000;

const TRY_AGAIN_HEADERS = { ...DATA_HEADERS, 'Content-Type': PROBLEM_JSON, 'Retry-After': 1 };
const TOO_MANY = JSON.stringify(
  problemDetails(503, 'Too many requests wait for their turn. Read the answers first.'),
);
const TOO_LATE = JSON.stringify(
  problemDetails(503, 'The requests before this one took too long. Try again soon.'),
);

/** What is under way on a connection: the answer to its newest request, and how many requests wait for their turn. */
interface Connection {
  newest: ServerResponse;
  waiting: number;
}
const connections = new WeakMap<Socket, Connection>();

/** For each answer whose turn has not come: the answer before it. */
const previousAnswer = new WeakMap<ServerResponse, ServerResponse>();

/**
 * Creates a server whose connections keep to RFC 9112 where those of Node.js by themselves do not.
 *
 * @param handle begins to answer a request
 * @param requestTimeout the longest that a request may take to arrive, in milliseconds
 */
export function createHttpServer(handle: RequestListener, requestTimeout: number): Server {
  let waitingInAll = 0;

  const inTurn: RequestListener = (request, response) => {
    const { socket } = request;
    // After an answer that closes the connection nothing more is done (section 9.6).
    if (socket.writableEnded || socket.destroyed) return;
    const connection = connections.get(socket);
    const previous = connection?.newest;
    if (connection === undefined) connections.set(socket, { newest: response, waiting: 0 });
    else connection.newest = response;
    if (connection === undefined || previous?.closed !== false) handle(request, response);
    else waitForTurn(connection, previous, request, response);
  };

  /** One after the other (section 9.3.2): Node.js would begin all that a caller sends without waiting. */
  const waitForTurn = (
    connection: Connection,
    previous: ServerResponse,
    request: IncomingMessage,
    response: ServerResponse,
  ): void => {
    const { socket } = request;
    previousAnswer.set(response, previous);
    const refuse = (refusal: string) => {
      if (validateRequestHead(request) !== undefined) response.shouldKeepAlive = false;
      response.writeHead(503, TRY_AGAIN_HEADERS).end(refusal);
    };
    if (connection.waiting >= MAX_WAITING || waitingInAll >= MAX_WAITING_IN_ALL) {
      refuse(TOO_MANY);
      previous.once('close', () => previousAnswer.delete(response));
      return;
    }
    const end = performance.now() + requestTimeout;
    connection.waiting += 1;
    waitingInAll += 1;
    previous.once('close', () => {
      previousAnswer.delete(response);
      // Its place is given back with those of all that wait on the connection.
      if (socket.destroyed) return;
      connection.waiting -= 1;
      waitingInAll -= 1;
      if (socket.writableEnded) return;
      if (performance.now() < end) handle(request, response);
      else refuse(TOO_LATE);
    });
  };

  const server = createServer(
    {
      headersTimeout: requestTimeout,
      // Only for bodies that no handler reads; for others `limitRequests` acts first.
      requestTimeout: 2 * requestTimeout,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
      // Node.js's own refusal has no body; `checkHeads` answers instead.
      requireHostHeader: false,
    },
    inTurn,
  );
  // The same goes for an expectation other than 100-continue.
  server.on('checkExpectation', inTurn);
  // A caller may say that it has sent all, and still wait for the answer.
  (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
  // The size of the headers is limited. By default Node.js drops those after the 1000th, unseen by any check.
  server.maxHeadersCount = 0;
  server.on('connection', (socket) => {
    closeWithLingering(socket);
    // Of a CONNECT, Node.js leaves the socket to the service, without anybody who listens for its errors.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      // Node.js does not close the answers that wait behind the first.
      waitingInAll -= connections.get(socket)?.waiting ?? 0;
    });
  });
  return server;
}

/**
 * Makes the answer the connection's last, and lets it say so. A `Connection` header alone would not change
 * `shouldKeepAlive`, by which {@link endConnection} knows it.
 */
export function closeAfterResponse({ raw }: FastifyReply): void {
  raw.shouldKeepAlive = false;
}

/**
 * Ends a connection on which nothing more can be read, after the answers that are under way.
 *
 * @param lastWords the answer to what could not be read, unless the one before closes the connection
 */
export function endConnection(socket: Socket, lastWords: string): void {
  const end = () => {
    if (socket.writable) socket.write(lastWords);
    socket.destroySoon();
  };
  const response = connections.get(socket)?.newest;
  const previous = response && previousAnswer.get(response);
  if (response === undefined || (response.closed && response.req.complete)) {
    end();
  } else if (response.req.complete) {
    // Before Node.js's own listener, which closes what the caller has closed on its side.
    response.prependOnceListener('finish', () => {
      if (response.shouldKeepAlive) end();
    });
  } else if (response.headersSent) {
    // The body is wrong of a request that has its answer already, or gets it in turn.
    if (response.closed) socket.destroySoon();
    else
      response.once('close', () => {
        socket.destroySoon();
      });
  } else if (previous !== undefined) {
    // The body is wrong of a request that waits for its turn: this is its answer, and comes before it would begin.
    previous.prependOnceListener('close', end);
  } else {
    end();
  }
}

/**
 * Lets a connection be read for a while after its last answer (section 9.6). The system would otherwise answer what is
 * still on the way with a reset, which can take the answer away from the caller.
 */
function closeWithLingering(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGERING_TIME).unref();
    socket.once('close', () => {
      clearTimeout(timer);
    });
  };
}
