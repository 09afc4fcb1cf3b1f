import { createHistogram } from 'node:perf_hooks';

/** The requests of one interval. A latency is the time from sending a request to the last byte of its response. */
export interface Traffic {
  requests: number;
  /** How many of the requests were invalid and were refused, as expected. */
  refused: number;
  /** The median latency, in milliseconds. */
  median: number;
  /** The 99th percentile of the latency, in milliseconds. */
  p99: number;
}

/** Sends requests to the service and records their latencies. */
export class HttpClient {
  private readonly latencies = createHistogram();
  private refused = 0;

  constructor(
    private readonly origin: string,
    private readonly apiKey: string,
  ) {}

  /**
   * Sends a request. A body that is not a string is sent as JSON.
   *
   * @param expectedStatus the status that the response must have
   * @returns the body of the response
   * @throws Error if there is no response or it has another status
   */
  async send<Body>(
    expectedStatus: number,
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
      throw new Error(`${method} ${path} got no response: ${String((error as Error).cause)}`);
    });
    const text = await response.text();
    this.latencies.record(Math.round((performance.now() - start) * 1e6));
    if (expectedStatus >= 400) this.refused++;
    if (response.status !== expectedStatus) {
      throw new Error(
        `${method} ${path}: expected status ${expectedStatus}, got ${response.status}: ${text}`,
      );
    }
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  /** Returns the traffic since the last call, and starts counting anew. */
  resetTraffic(): Traffic {
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
