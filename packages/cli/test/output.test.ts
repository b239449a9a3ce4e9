import { MbkError } from '@mbk/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeOutput, toJson } from '../src/output.ts';
import { recordingStream } from './recording-stream.ts';

function recordedOutput(json: boolean, { isTTY = false, quiet = false } = {}) {
  const stdout = recordingStream({ isTTY });
  const stderr = recordingStream({ isTTY });
  return { out: makeOutput({ json, quiet }, { stdout: stdout.stream, stderr: stderr.stream }), stdout, stderr };
}

describe('makeOutput', () => {
  beforeEach(() => vi.stubEnv('FORCE_COLOR', undefined));
  afterEach(() => vi.unstubAllEnvs());

  test('a value is one line of JSON, or the text that its renderer makes', () => {
    const asJson = recordedOutput(true);
    asJson.out.result({ bytes: 5n, id: Uint8Array.of(1, 255) }, () => 'text');
    expect(asJson.stdout.text()).toBe('{"bytes":5,"id":"01ff"}\n');
    const asText = recordedOutput(false);
    asText.out.result({ bytes: 5 }, ({ bytes }) => `${bytes} bytes`);
    expect(asText.stdout.text()).toBe('5 bytes\n');
  });

  test('an error says what happened and what to do, and cannot steer the terminal', () => {
    const error = new MbkError('path-absent', 'no \u001b[2J here', { details: { path: 'x' }, remedy: 'Look.' });
    const asText = recordedOutput(false);
    asText.out.error(error);
    expect(asText.stderr.text()).toBe('error: no \\x1b[2J here\nLook.\n');
    expect(asText.stdout.text()).toBe('');
    const asJson = recordedOutput(true);
    asJson.out.error(error);
    expect(JSON.parse(asJson.stdout.text())).toEqual({
      type: 'error',
      code: 'path-absent',
      message: 'no \u001b[2J here',
      remedy: 'Look.',
      details: { path: 'x' },
    });
    expect(asJson.stderr.text()).toBe('');
  });

  test('piped text has no colours', () => {
    const { out, stdout } = recordedOutput(false);
    out.result(1, (_, style) => style('red', 'x'));
    expect(stdout.text()).toBe('x\n');
  });
});

describe('progress', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const read = () => ({ view: { facts: ['3 of 10 files'], path: 'a' }, fields: { files: 3 } });

  test('a terminal has it from the first second on, and it is gone before anything else is written and at the end', () => {
    const { out, stdout, stderr } = recordedOutput(false, { isTTY: true });
    const stop = out.progress(read);
    vi.advanceTimersByTime(999);
    expect(stderr.text()).toBe('');
    vi.advanceTimersByTime(1);
    expect(stderr.text()).toContain('3 of 10 files');
    const before = stderr.text().length;
    out.event({ type: 'finding' }, () => 'found');
    expect(stderr.text().slice(before)).toBe('\r\u001b[1A\u001b[K\n\u001b[K\u001b[1A');
    expect(stdout.text()).toBe('found\n');
    stop();
    const atEnd = stderr.text();
    vi.advanceTimersByTime(10_000);
    expect(stderr.text()).toBe(atEnd);
  });

  test('programs get a JSON line every second', () => {
    const { out, stdout } = recordedOutput(true);
    const stop = out.progress(read);
    vi.advanceTimersByTime(2500);
    stop();
    expect(stdout.text()).toBe('{"type":"progress","files":3}\n'.repeat(2));
  });

  test('quiet output has neither progress nor notices nor a summary, but what was found and asked for', () => {
    const { out, stdout, stderr } = recordedOutput(false, { quiet: true });
    out.progress(read);
    vi.advanceTimersByTime(60_000);
    out.notice('by the way');
    out.result({ type: 'summary' }, () => 'all is well');
    expect(stdout.text() + stderr.text()).toBe('');
    out.event({ type: 'finding' }, () => 'found');
    out.result({ tags: [] }, () => 'asked for');
    out.error(new MbkError('path-absent', 'no such path', { remedy: 'Look.' }));
    expect(stdout.text()).toBe('found\nasked for\n');
    expect(stderr.text()).toBe('error: no such path\nLook.\n');
  });
});

test('JSON holds large numbers as strings, maps as objects, times as RFC 3339', () => {
  const value = { big: 2n ** 64n, map: new Map([['a', 1]]), set: new Set([1]), at: new Date(0) };
  expect(toJson(value)).toBe('{"big":"18446744073709551616","map":{"a":1},"set":[1],"at":"1970-01-01T00:00:00.000Z"}');
});
