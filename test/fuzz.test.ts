import slugify from '@sindresorhus/slugify';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expectProblem } from './support/api.js';
import { settingsBeside } from './support/database.js';
import { type MalformedTransmission, malformedTransmission, SMUGGLED } from './support/malformed-requests.js';
import { type RawResponse, sendRaw } from './support/raw-http.js';
import { send, Service } from './support/service.js';

/*
 * Sends random valid and malformed requests. `FUZZ_REQUESTS=1000000 npx vitest run test/fuzz.test.ts` sends a million.
 * To repeat a failure, set FUZZ_SEED and FUZZ_PATH to the seed and path in its message.
 */
const { FUZZ_REQUESTS = '20000', FUZZ_SEED, FUZZ_PATH } = process.env;

/** The number of concurrent connections. */
const CONNECTIONS = 10;

function expectValidResponses(
  { kind, bytes, methods }: MalformedTransmission,
  responses: RawResponse[],
): void {
  for (const [index, { status, headers, body }] of responses.entries()) {
    expect(status).toBeLessThan(500);
    if (status < 400 || (methods[index] === 'HEAD' && status !== 431)) continue;
    expectProblem(
      { status, headers: Object.fromEntries(headers), body: JSON.parse(body) as unknown },
      status,
    );
  }
  switch (kind) {
    case 'request':
      expect(responses).toHaveLength(1);
      break;
    case 'smuggling':
      expect(responses.map(({ status }) => status >= 400)).toEqual([true]);
      break;
    case 'pipeline': {
      const last = responses.findIndex(({ headers }) => headers.get('connection') === 'close');
      if (last !== -1) expect(responses).toHaveLength(last + 1);
      // Without the header, the connection ends behind a response whose headers were already sent.
      else expect(responses).not.toHaveLength(0);
      break;
    }
    case 'cut':
      break;
    case 'garbled':
      if (/[^\r\n]/.test(bytes.toString('latin1'))) expect(responses).not.toHaveLength(0);
  }
}

it(
  `${FUZZ_REQUESTS} random and malformed requests get only responses that HTTP and the API allow`,
  async () => {
    const service = new Service(await settingsBeside());
    const api = await service.listening();
    const port = Number(new URL(api).port);
    for (let count = 0; count < 5; count += 1) await send('POST', `${api}/organizations`, { name: 'Harbor' });

    await fc.assert(
      fc.asyncProperty(
        fc.array(malformedTransmission, { minLength: CONNECTIONS, maxLength: CONNECTIONS }),
        async (sendings) => {
          const exchanges = await Promise.all(
            sendings.map(async (sending) => ({ sending, responses: await sendRaw(port, sending) })),
          );
          for (const { sending, responses } of exchanges) expectValidResponses(sending, responses);
        },
      ),
      {
        numRuns: Math.ceil(Number(FUZZ_REQUESTS) / CONNECTIONS),
        ...(FUZZ_SEED !== undefined && { seed: Number(FUZZ_SEED) }),
        ...(FUZZ_PATH !== undefined && { path: FUZZ_PATH }),
      },
    );

    expect((await send('GET', new URL('/health/ready', api).href)).status).toBe(200);
    expect((await send('GET', `${api}/organizations/${slugify(SMUGGLED)}`)).status).toBe(404);
    const { code, output } = await service.end('SIGTERM');
    expect(code).toBe(0);
    expect(output.filter((line) => line.includes('"level":50'))).toEqual([]);
  },
  60_000 + Number(FUZZ_REQUESTS) * 10,
);
