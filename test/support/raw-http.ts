import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';

export interface RawResponse {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** Bytes to send as they are over a new connection. */
export interface Transmission {
  bytes: Buffer;
  /** In how many writes the bytes are sent. */
  pieces: number;
  /** What the client does afterwards: wait for responses, half-close the connection, or destroy it. */
  then: 'wait' | 'end' | 'destroy';
  /** The methods of the requests, in order, because a response to HEAD has no body. */
  methods: string[];
}

/**
 * Sends the bytes and reads responses until each request has one or the connection is closed.
 *
 * @throws Error if the service sends anything but HTTP, or resets the connection
 */
export async function sendRaw(
  port: number,
  { bytes, pieces, then, methods }: Transmission,
): Promise<RawResponse[]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let received = '';
  let connectionError: Error | undefined;
  const done = new Promise<void>((resolve) => {
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
      if (then === 'wait' && parseResponses(received, methods).responses.length === methods.length) resolve();
    });
    socket.once('end', resolve).once('close', () => {
      resolve();
    });
    socket.once('error', (error) => (connectionError = error));
  });
  const size = Math.ceil(bytes.length / pieces);
  for (let start = 0; start < bytes.length && !socket.destroyed; start += size) {
    socket.write(bytes.subarray(start, start + size));
    if (pieces > 1) await setImmediate();
  }
  if (then === 'end') socket.end();
  if (then === 'destroy') socket.destroy();
  await done;
  socket.destroy();
  const { responses, rest } = parseResponses(received, methods);
  if (then === 'destroy') return responses;
  if (connectionError !== undefined && responses.length === 0) throw connectionError;
  if (rest !== '') throw new Error(`After ${responses.length} responses: ${JSON.stringify(rest)}`);
  return responses;
}

/** Parses the complete responses, without the interim ones. @returns them and the rest of the text */
function parseResponses(received: string, methods: string[]): { responses: RawResponse[]; rest: string } {
  const responses: RawResponse[] = [];
  let rest = received;
  for (;;) {
    const [head, status] = /^HTTP\/1\.1 (\d{3}) .*?\r\n\r\n/s.exec(rest) ?? [];
    if (head === undefined) return { responses, rest };
    const lines = head.split('\r\n').slice(1, -2);
    const headers = new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    // When the headers are too large, Node.js does not know the method and sends a body.
    const isToHead = methods[responses.length] === 'HEAD' && status !== '431';
    const hasBody = !isToHead && status !== '204' && status !== '304' && !status?.startsWith('1');
    const body = hasBody ? takeBody(rest.slice(head.length), headers) : { text: '', length: 0 };
    if (body === undefined) return { responses, rest };
    rest = rest.slice(head.length + body.length);
    if (!status?.startsWith('1')) {
      responses.push({ status: Number(status), headers, body: Buffer.from(body.text, 'latin1').toString() });
    }
  }
}

/** Reads the body at the start of `bytes`. @returns it and its length in `bytes`; undefined if it is incomplete */
function takeBody(bytes: string, headers: Map<string, string>): { text: string; length: number } | undefined {
  const declared = headers.get('content-length');
  if (declared !== undefined) {
    const length = Number(declared);
    return bytes.length < length ? undefined : { text: bytes.slice(0, length), length };
  }
  let text = '';
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = parseInt(bytes.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (lineEnd === -1 || bytes.length < next) return undefined;
    text += bytes.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
    if (size === 0) return { text, length: at };
  }
}
