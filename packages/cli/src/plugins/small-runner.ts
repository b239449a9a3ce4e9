/** The three functions that the conformance suite asks a test runner for, and a report. */

import type { TestRunner } from '@mbk/plugin-sdk/testing';

export interface TestResult {
  readonly name: string;
  /** Undefined when it passed. */
  readonly problem: string | undefined;
}

/** Declares tests by `declare`, then runs them one after the other. */
export async function runTests(
  declare: (runner: TestRunner) => void,
  onResult: (result: TestResult) => void,
  signal: AbortSignal,
): Promise<void> {
  const path: string[] = [];
  const tests: { readonly name: string; readonly body: () => Promise<void> | void }[] = [];
  declare({
    describe: (name, body) => {
      path.push(name);
      body();
      path.pop();
    },
    test: (name, body) => void tests.push({ name: [...path, name].join(' › '), body }),
    expect: (actual) => ({
      toEqual: (expected) => {
        if (!isSame(actual, expected)) throw new Error(`expected ${show(expected)}, got ${show(actual)}`);
      },
    }),
  });
  for (const { body, name } of tests) {
    signal.throwIfAborted();
    try {
      await body();
      onResult({ name, problem: undefined });
    } catch (error) {
      onResult({ name, problem: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Equal in what counts: a member that is undefined is one that is absent. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((key) => isSame(one[key], other[key]));
}

function show(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return (text ?? String(value)).slice(0, 500);
}
