/**
 * The part of a test runner that the exported suites use: vitest's or jest's functions, or `node:test`'s with an
 * `expect` of any make.
 */
export interface SuiteRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: (name: string, body: () => Promise<void>) => unknown;
  readonly expect: (actual: unknown) => SuiteExpectation;
}

export interface SuiteExpectation {
  /** The same value, as by `Object.is`. */
  toBe(expected: unknown): unknown;
  /** The same structure. */
  toEqual(expected: unknown): unknown;
}
