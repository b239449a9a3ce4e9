import { describe, expect, test } from 'vitest';
import { runKnownAnswers } from '../../src/operations/known-answers.ts';
import { selfTest } from '../../src/operations/self-test.ts';

describe('selfTest', () => {
  test('passes every known answer in a worker thread', async () => {
    const report = await selfTest();
    expect(report.answers.filter((answer) => !answer.passed)).toEqual([]);
    expect(report.passed).toBe(report.answers.length);
    expect(report.worker).toMatch(/\/src\/worker\.ts$/);
  });

  test('holds key derivation and hashes against two implementations', () => {
    const twice = runKnownAnswers().filter((answer) => answer.implementations.length === 2);
    expect(twice.map((answer) => answer.name)).toEqual(['SHA-256', 'HMAC-SHA-256', 'HKDF-SHA-256', 'Argon2id']);
  });

  test('ends with the reason of its signal', async () => {
    const reason = new Error('stopped by the test');
    const interrupted = { code: 'interrupted', cause: reason };
    await expect(selfTest({ signal: AbortSignal.abort(reason) })).rejects.toMatchObject(interrupted);
    const controller = new AbortController();
    const running = selfTest({ signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toMatchObject(interrupted);
  });
});
