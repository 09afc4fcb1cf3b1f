import slugify from '@sindresorhus/slugify';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expectProblem } from './support/api.js';
import { settingsBeside } from './support/database.js';
import { type NastySending, nastySending, SMUGGLED } from './support/malformed-requests.js';
import { type RawResponse, sendRaw } from './support/raw-http.js';
import { send, Service } from './support/service.js';

/*
 * Sends whatever may come over a network. `FUZZ_REQUESTS=1000000 npx vitest run test/fuzz.test.ts` sends a million; a
 * failure says the FUZZ_SEED and the FUZZ_PATH that repeat it.
 */
const { FUZZ_REQUESTS = '20000', FUZZ_SEED, FUZZ_PATH } = process.env;

/** How many connections there are at once. */
const CONNECTIONS = 10;

function expectProperAnswers({ kind, bytes, methods }: NastySending, answers: RawResponse[]): void {
  for (const [index, { status, headers, body }] of answers.entries()) {
    expect(status).toBeLessThan(500);
    if (status < 400 || (methods[index] === 'HEAD' && status !== 431)) continue;
    expectProblem(
      { status, headers: Object.fromEntries(headers), body: JSON.parse(body) as unknown },
      status,
    );
  }
  switch (kind) {
    case 'request':
      expect(answers).toHaveLength(1);
      break;
    case 'smuggling':
      expect(answers.map(({ status }) => status >= 400)).toEqual([true]);
      break;
    case 'pipeline': {
      const last = answers.findIndex(({ headers }) => headers.get('connection') === 'close');
      expect(answers).toHaveLength(last === -1 ? methods.length : last + 1);
      break;
    }
    case 'cut':
      break;
    case 'garbled':
      if (/[^\r\n]/.test(bytes.toString('latin1'))) expect(answers).not.toHaveLength(0);
  }
}

it(
  `${FUZZ_REQUESTS} nasty requests have no answer but those that HTTP and the contract allow`,
  async () => {
    const service = new Service(await settingsBeside());
    const api = await service.listening();
    const port = Number(new URL(api).port);
    for (let count = 0; count < 5; count += 1) await send('POST', `${api}/organizations`, { name: 'Harbor' });

    await fc.assert(
      fc.asyncProperty(
        fc.array(nastySending, { minLength: CONNECTIONS, maxLength: CONNECTIONS }),
        async (sendings) => {
          const exchanges = await Promise.all(
            sendings.map(async (sending) => ({ sending, answers: await sendRaw(port, sending) })),
          );
          for (const { sending, answers } of exchanges) expectProperAnswers(sending, answers);
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
