import { once } from 'node:events';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadEnvironment } from '../src/config/environment.js';
import { StartupError } from '../src/config/startup-error.js';
import { createHttpServer, listenOnAnotherAddress } from '../src/server/http-server.js';
import { createInstallation } from './support/installation.js';
import { ADMIN_API_KEY, databaseSettings, keyHeader, newDataDirectory, SERVER } from './support/database.js';
import { type Result, send, Service } from './support/service.js';
import { newTemporaryDirectory } from './support/temporary-directory.js';

/** Expects one line of output, without a stack trace, and exit code 1. */
function expectStartupError({ code, output }: Result, line: RegExp): void {
  expect(output).toEqual([expect.stringMatching(line)]);
  expect(code).toBe(1);
}

/** The database of this test file as the start line describes it. */
function describeDatabase(): object {
  if (SERVER === undefined) return { engine: 'embedded', directory: databaseSettings().DATA_DIR };
  const { hostname, port, pathname } = new URL(databaseSettings().DATABASE_URL ?? '');
  return { engine: 'PostgreSQL', host: hostname, port: Number(port || 5432), name: pathname.slice(1) };
}

function warningsOf({ output }: Result): unknown[] {
  return output
    .map((line) => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level }) => level > 30)
    .map(({ msg }) => msg);
}

describe('On start, the service', () => {
  it('logs its URLs, its version, its database and its key mode, and on SIGTERM that it has stopped', async () => {
    const service = new Service();
    const api = await service.listening();
    expect((await fetch(`${api}/organizations`)).status).toBe(200);
    const { output, code } = await service.end('SIGTERM');
    expect(output.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: 30, msg: `Phones API at ${api}` }),
      expect.objectContaining({
        level: 30,
        msg: `Swagger UI at ${api.replace('/v1', '/docs')}`,
        version: '1.0.0',
        database: describeDatabase(),
        require_api_key: 'never',
      }),
      expect.objectContaining({ level: 30, msg: 'The service has stopped.' }),
    ]);
    expect(code).toBe(0);
  });

  it('warns about a misspelled setting, and if writes require a key that nobody has', async () => {
    const settings = { REQUIRE_API_KEY: 'writes', ADMIN_API_KEY: '', RATE_LIMIT_READ: '1' };
    const service = new Service({ ...databaseSettings(), ...settings });
    await service.listening();
    expect(warningsOf(await service.end('SIGTERM'))).toEqual([
      'RATE_LIMIT_READ is not a setting of the service. Did you mean RATE_LIMIT_READS?',
      expect.stringMatching(/^REQUIRE_API_KEY is writes, but no admin has a key: .*Set ADMIN_API_KEY/),
    ]);
  });

  it('finds the data of its previous run, and does not warn if an admin in it has a key', async () => {
    const first = new Service();
    const api = await first.listening();
    const { body: organization } = await send<{ id: number }>('POST', `${api}/organizations`, {
      name: 'Youth Line',
    });
    await send('POST', `${api}/organizations/${organization.id}/phones`, { digits: '211' });
    await send('POST', `${api}/clients`, { name: 'Admin', is_admin: true }, keyHeader(ADMIN_API_KEY));
    await first.end('SIGTERM');

    const settings = { ...databaseSettings(), REQUIRE_API_KEY: 'writes', ADMIN_API_KEY: '' };
    const second = new Service(settings);
    const phones = `${await second.listening()}/organizations/${organization.id}/phones`;
    expect((await send('GET', phones)).body).toMatchObject([{ digits: '211', is_primary: true }]);
    expect(warningsOf(await second.end('SIGTERM'))).toEqual([]);
  });

  it(
    'migrates a new database only once when several instances start concurrently',
    { skip: SERVER === undefined },
    async () => {
      const services = await Promise.all([1, 2, 3].map(() => new Service().listening()));
      for (const api of services) expect((await fetch(`${api}/organizations`)).status).toBe(200);
    },
  );
});

describe('The settings are refused in one line', () => {
  it.each([
    ['PORT', 'http', /^Wrong settings: PORT must be a whole number from 0 to 65535\.$/],
    ['PORT', '65536', /^Wrong settings: PORT must be/],
    ['PORT', '-1', /^Wrong settings: PORT must be/],
    [
      'DATABASE_URL',
      'postgres://127.0.0.1:5432/phones?options=-c%20geqo%3Doff',
      /^Wrong settings: DATABASE_URL must not contain options, because/,
    ],
    [
      'DATABASE_URL',
      'mysql://127.0.0.1/phones',
      /^Wrong settings: DATABASE_URL must be a URL such as postgres:/,
    ],
    [
      'DATABASE_URL',
      'postgres://u:secret%@127.0.0.1/phones?sslrootcert=/no/such',
      /^(?!.*secret)Wrong settings: DATABASE_URL contains a % that/,
    ],
    ['DATABASE_POOL', '0', /^Wrong settings: DATABASE_POOL must be a whole number from 1 to 1000\.$/],
    ['LOG_LEVEL', 'loud', /^Wrong settings: LOG_LEVEL must be one of fatal, error, warn/],
    [
      'REQUIRE_API_KEY',
      'sometimes',
      /^Wrong settings: REQUIRE_API_KEY must be one of never, writes, always\.$/,
    ],
    ['HOST', '0.0.0.0', /^Wrong settings: REQUIRE_API_KEY must be set \(never, writes, always\)/],
    ['HOST', '::', /^Wrong settings: REQUIRE_API_KEY must be set/],
    ['HOST', 'localhost.example.org', /^Wrong settings: REQUIRE_API_KEY must be set/],
    [
      'ADMIN_API_KEY',
      'a-key-of-only-thirty-one-letter',
      /^(?!.*thirty-one)Wrong settings: ADMIN_API_KEY must be 32 to 255 letters.* node -p "crypto\.randomBytes/,
    ],
    ['ADMIN_API_KEY', 'with spaces in this key, but long enough', /^Wrong settings: ADMIN_API_KEY must be/],
    [
      'RATE_LIMIT_READS',
      '0',
      /^Wrong settings: RATE_LIMIT_READS must be a whole number from 1 to 1000000\.$/,
    ],
    ['RATE_LIMIT_WRITES', 'many', /^Wrong settings: RATE_LIMIT_WRITES must be a whole number/],
    ['TRUST_PROXY', 'true', /^Wrong settings: TRUST_PROXY must be IP addresses, subnets/],
    ['TRUST_PROXY', '1', /^Wrong settings: TRUST_PROXY must be/],
    ['TRUST_PROXY', 'loopback, 10.0.0.0/33', /^Wrong settings: TRUST_PROXY must be/],
    ['TRUST_PROXY', '0.0.0.0/0', /^Wrong settings: TRUST_PROXY must be/],
    ['ALLOWED_HOSTS', '*', /^Wrong settings: ALLOWED_HOSTS must be host names or IP addresses, without port/],
    ['ALLOWED_HOSTS', 'example.org:80', /^Wrong settings: ALLOWED_HOSTS must be/],
    ['CORS_ORIGINS', 'example.org', /^Wrong settings: CORS_ORIGINS must be \* or origins such as https:/],
    ['CORS_ORIGINS', 'https://example.org/', /^Wrong settings: CORS_ORIGINS must be/],
    [
      'DEFAULT_COUNTRY',
      'us',
      /^Wrong settings: DEFAULT_COUNTRY must be the two capital letters of a country/,
    ],
    ['DEFAULT_COUNTRY', 'ZZ', /^Wrong settings: DEFAULT_COUNTRY must be/],
    ['HOST', 'not a host', /^Wrong settings: HOST must be an IP address or a host name/],
  ])('with %s=%s', (name, value, line) => {
    vi.stubEnv(name, value);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(loadEnvironment).toThrow(
      expect.objectContaining({ message: expect.stringMatching(line) as string }),
    );
    expect(loadEnvironment).toThrow(StartupError);
  });
});

describe('The service refuses to start, with one line of output,', () => {
  it('with several invalid settings, each of which it names', async () => {
    const result = await new Service({ PORT: 'x', LOG_LEVEL: 'x' }).end();
    expectStartupError(result, /PORT must be .*; LOG_LEVEL must be/);
  });

  it('with a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const result = await new Service({ ...databaseSettings(), PORT: String(port) }).end();
    expectStartupError(
      result,
      new RegExp(`^Cannot listen on HOST 127.0.0.1, PORT ${port}: listen EADDRINUSE`),
    );
    server.close();
  });

  it('with a DATA_DIR that is not writable', async () => {
    const directory = newTemporaryDirectory();
    await writeFile(join(directory, 'file'), '');
    for (const dataDirectory of [join(directory, 'file'), join(directory, 'file', 'below'), '/proc/phones']) {
      expectStartupError(
        await new Service({ DATA_DIR: dataDirectory }).end(),
        /^DATA_DIR .* cannot be written: /,
      );
    }
    await rm(directory, { recursive: true });
  });

  it('with a DATA_DIR that contains no database', async () => {
    const DATA_DIR = newTemporaryDirectory();
    await writeFile(join(DATA_DIR, 'postgresql'), '');
    expectStartupError(
      await new Service({ DATA_DIR }).end(),
      /^DATA_DIR .* does not contain a usable database: /,
    );
    await rm(DATA_DIR, { recursive: true });
  });

  it('with an invalid setting in the .env beside package.json', async () => {
    const installation = createInstallation();
    await writeFile(join(installation, '.env'), 'LOG_LEVEL=loud\n');
    expectStartupError(
      await new Service({}, 'main.js', installation).end(),
      /^Wrong settings: LOG_LEVEL must be/,
    );
  });

  it('with a .env that it cannot read', async () => {
    const installation = createInstallation();
    await mkdir(join(installation, '.env'));
    const result = await new Service({}, 'main.js', installation).end();
    expectStartupError(result, /^\/.*\/\.env cannot be read: EISDIR: /);
  });

  it('with a database that does not exist', { skip: SERVER === undefined }, async () => {
    const DATABASE_URL = Object.assign(new URL(SERVER ?? 'postgres://'), {
      pathname: '/no_such_database',
    }).href;
    const result = await new Service({ ...databaseSettings(), DATABASE_URL }).end();
    expectStartupError(
      result,
      /^Cannot use the database at \S+\/no_such_database \(DATABASE_URL\): database .* does not exist$/,
    );
  });
});

describe('The service starts', () => {
  it.each([
    { TRUST_PROXY: '10.0.0.0/8, ::1/128,127.0.0.1,uniquelocal' },
    { CORS_ORIGINS: 'https://example.org, http://127.0.0.1:8080' },
    { HOST: '0.0.0.0', REQUIRE_API_KEY: 'always' },
    { RATE_LIMIT_READS: '1', RATE_LIMIT_WRITES: '1000000' },
    { PGHOST: '192.0.2.1', PGUSER: 'nobody', PGSSLMODE: 'require', PGREPLICATION: 'true', PGOPTIONS: '-c x' },
  ])('with %j', async (settings) => {
    await new Service({ ...databaseSettings(), ...settings }).listening();
  });

  it('with the .env and a relative DATA_DIR beside package.json, unless the environment overrides them', async () => {
    const installation = createInstallation();
    await writeFile(join(installation, '.env'), 'LOG_LEVEL=loud\nDATA_DIR=./phones\n');
    await cp(await newDataDirectory(), join(installation, 'phones'), { recursive: true });
    const service = new Service({ LOG_LEVEL: 'info' }, 'main.js', installation);
    await service.printed(`"directory":"${join(installation, 'phones')}"`);
  });
});

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe('With HOST=localhost, the service', { skip: !hasIPv6 }, () => {
  it('serves 127.0.0.1 and ::1 in the same way, and shuts both down gracefully', async () => {
    const service = new Service({ ...databaseSettings(), HOST: 'localhost' });
    const port = Number(new URL(await service.listening()).port);
    const uploads: Socket[] = [];
    for (const host of ['127.0.0.1', '::1']) {
      const exchange = (bytes: string) => {
        const socket = connect({ port, host, noDelay: true });
        // Half-closed, as a client may do before it has the response.
        socket.end(bytes);
        return text(socket);
      };
      const headers = 'Host: localhost\r\nConnection: close\r\n';
      expect(await exchange(`GET /v1/organizations HTTP/1.1\r\n${headers}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
      expect(await exchange(`GET / HTTP/1.1\r\n${headers}Expect: tea\r\n\r\n`)).toMatch(/^HTTP\/1.1 417 /);
      expect(await exchange('hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*problem\+json/s);
      expect(await exchange(`CONNECT x:1 HTTP/1.1\r\n${headers}\r\n`)).toContain('CONNECT is not supported');

      const upload = connect({ port, host });
      upload.write(`POST /v1/organizations HTTP/1.1\r\n${headers}Content-Type: application/json\r\n`);
      upload.write('Content-Length: 18\r\nExpect: 100-continue\r\n\r\n');
      await once(upload, 'readable');
      uploads.push(upload);
    }
    const ended = service.end('SIGTERM');
    for (const host of ['127.0.0.1', '::1']) {
      const isOpen = () =>
        new Promise((resolve) => {
          const socket = connect({ port, host }, () => {
            socket.destroy();
            resolve(true);
          }).on('error', () => {
            resolve(false);
          });
        });
      while (await isOpen());
    }
    for (const upload of uploads) {
      upload.write('{"name":"On both"}');
      expect(await text(upload)).toMatch(/HTTP\/1.1 201 /);
    }
    expect((await ended).code).toBe(0);
  });

  it('limits the number of connections on both', async () => {
    const server = createHttpServer((_request, response) => response.end(), 1000);
    server.maxConnections = 1;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    await listenOnAnotherAddress(server, '::1');
    for (const host of ['127.0.0.1', '::1']) {
      const first = connect({ port, host });
      first.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(first, 'readable');
      const second = connect({ port, host }).on('error', () => undefined);
      expect(await text(second).catch(() => '')).toBe('');
      first.destroy();
    }
    await promisify(server.close.bind(server))();
  });
});

describe('An unreachable database server', () => {
  it('is retried, and then reported without its password', async () => {
    const service = new Service({ DATABASE_URL: 'postgres://postgres:secret@127.0.0.1:1/phones' });
    await service.printed('Waiting for the database at 127.0.0.1:1/phones');
    const { code, output } = await service.end();
    expect(code).toBe(1);
    expect(output).toHaveLength(2);
    expect(output[1]).toBe(
      'Cannot use the database at 127.0.0.1:1/phones (DATABASE_URL): connect ECONNREFUSED 127.0.0.1:1',
    );
    expect(output.join()).not.toContain('secret');
  });

  it('is used as soon as it accepts connections', { skip: SERVER === undefined }, async () => {
    const target = new URL(databaseSettings().DATABASE_URL ?? '');
    const server = createServer((socket) => {
      const upstream = connect(Number(target.port || 5432), target.hostname);
      socket.pipe(upstream).pipe(socket);
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');

    const service = new Service({
      ...databaseSettings(),
      DATABASE_URL: Object.assign(new URL(target), { host: `127.0.0.1:${port}` }).href,
    });
    await service.printed('Waiting for the database');
    server.listen(port, '127.0.0.1');
    const api = await service.listening();
    expect((await fetch(`${api}/organizations`)).status).toBe(200);
    await service.end('SIGTERM');
    server.close();
  });
});
