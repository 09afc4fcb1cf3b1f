import { createHistogram } from 'node:perf_hooks';

/** What was sent in some time. Latencies, from sending to the last byte of the answer, are in milliseconds. */
export interface Traffic {
  requests: number;
  /** How many of them had to be refused, and were. */
  refused: number;
  median: number;
  p99: number;
}

/** Sends requests to the service and measures them. */
export class Client {
  private readonly latencies = createHistogram();
  private refused = 0;

  constructor(
    private readonly origin: string,
    private readonly apiKey: string,
  ) {}

  /**
   * Sends a request; a body that is not a string is sent as JSON.
   *
   * @returns the body of the answer
   * @throws Error when it is not answered with just this status
   */
  async send<Body>(
    status: number,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Body> {
    const start = performance.now();
    const response = await fetch(this.origin + path, {
      method,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new Error(`${method} ${path} was not answered: ${String((error as Error).cause)}`);
    });
    const text = await response.text();
    this.latencies.record(Math.round((performance.now() - start) * 1e6));
    if (status >= 400) this.refused++;
    if (response.status !== status) {
      throw new Error(`${method} ${path} was answered ${response.status}, not ${status}: ${text}`);
    }
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  /** What was sent since the last call of this. */
  takeTraffic(): Traffic {
    const inMilliseconds = (percentile: number) => this.latencies.percentile(percentile) / 1e6;
    const { latencies, refused } = this;
    const traffic = {
      requests: latencies.count,
      refused,
      median: inMilliseconds(50),
      p99: inMilliseconds(99),
    };
    latencies.reset();
    this.refused = 0;
    return traffic;
  }
}
