import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';

export interface RawResponse {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** What is sent over a connection of its own, byte by byte as it stands. */
export interface Sending {
  bytes: Buffer;
  /** In how many pieces, one after the other. */
  pieces: number;
  /** What happens to the connection after it: the caller waits, says that it has sent all, or is gone. */
  then: 'wait' | 'end' | 'destroy';
  /** The methods of the requests, in turn. An answer to HEAD has no body. */
  methods: string[];
}

/**
 * Sends the bytes and reads the answers until there is one to each request, or the connection is closed.
 *
 * @throws Error when what is received is no HTTP, or the connection is reset
 */
export async function sendRaw(
  port: number,
  { bytes, pieces, then, methods }: Sending,
): Promise<RawResponse[]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let received = '';
  let fault: Error | undefined;
  const done = new Promise<void>((resolve) => {
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
      if (then === 'wait' && parseResponses(received, methods).answers.length === methods.length) resolve();
    });
    socket.once('end', resolve).once('close', () => {
      resolve();
    });
    socket.once('error', (error) => (fault = error));
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
  const { answers, rest } = parseResponses(received, methods);
  if (then === 'destroy') return answers;
  if (fault !== undefined && answers.length === 0) throw fault;
  if (rest !== '') throw new Error(`After ${answers.length} answers: ${JSON.stringify(rest)}`);
  return answers;
}

/** As many answers as have arrived as a whole, but for interim ones, and what is left. */
function parseResponses(received: string, methods: string[]): { answers: RawResponse[]; rest: string } {
  const answers: RawResponse[] = [];
  let rest = received;
  for (;;) {
    const [head, status] = /^HTTP\/1\.1 (\d{3}) .*?\r\n\r\n/s.exec(rest) ?? [];
    if (head === undefined) return { answers, rest };
    const lines = head.split('\r\n').slice(1, -2);
    const headers = new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    // Of headers that are too large, Node.js does not even tell the method.
    const isToHead = methods[answers.length] === 'HEAD' && status !== '431';
    const hasBody = !isToHead && status !== '204' && status !== '304' && !status?.startsWith('1');
    const body = hasBody ? takeBody(rest.slice(head.length), headers) : { text: '', length: 0 };
    if (body === undefined) return { answers, rest };
    rest = rest.slice(head.length + body.length);
    if (!status?.startsWith('1')) {
      answers.push({ status: Number(status), headers, body: Buffer.from(body.text, 'latin1').toString() });
    }
  }
}

/** The body at the start of `bytes`, and how many of them it takes; undefined when it is not there as a whole. */
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
