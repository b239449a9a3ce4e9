import { MbkError } from '@mbk/core';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeOutput, toJson } from '../src/output.ts';

/** A stream that keeps what is written to it. */
function recordingStream(isTTY: boolean): { readonly stream: NodeJS.WriteStream; readonly text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 20 }) as unknown as NodeJS.WriteStream, text: () => text };
}

function recordedOutput(json: boolean, isTTY = false) {
  const stdout = recordingStream(isTTY);
  const stderr = recordingStream(isTTY);
  return { out: makeOutput(json, { stdout: stdout.stream, stderr: stderr.stream }), stdout, stderr };
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
  const read = () => ({ line: '3 of 10 files, which is a long line', fields: { files: 3 } });

  test('a terminal shows one line after a second, cut to its width, and it is gone at the end', () => {
    const { out, stderr } = recordedOutput(false, true);
    const stop = out.progress(read);
    vi.advanceTimersByTime(999);
    expect(stderr.text()).toBe('');
    vi.advanceTimersByTime(1);
    expect(stderr.text()).toBe('\r3 of 10 files, whic\u001b[K');
    stop();
    expect(stderr.text()).toMatch(/\r\u001b\[K$/);
    const atEnd = stderr.text();
    vi.advanceTimersByTime(10_000);
    expect(stderr.text()).toBe(atEnd);
  });

  test('a pipe gets a plain line every half minute', () => {
    const { out, stderr } = recordedOutput(false);
    const stop = out.progress(read);
    vi.advanceTimersByTime(60_000);
    stop();
    expect(stderr.text()).toBe('3 of 10 files, which is a long line\n'.repeat(2));
  });

  test('programs get a JSON line every second', () => {
    const { out, stdout } = recordedOutput(true);
    const stop = out.progress(read);
    vi.advanceTimersByTime(2500);
    stop();
    expect(stdout.text()).toBe('{"type":"progress","files":3}\n'.repeat(2));
  });
});

test('JSON holds large numbers as strings, maps as objects, times as RFC 3339', () => {
  const value = { big: 2n ** 64n, map: new Map([['a', 1]]), set: new Set([1]), at: new Date(0) };
  expect(toJson(value)).toBe('{"big":"18446744073709551616","map":{"a":1},"set":[1],"at":"1970-01-01T00:00:00.000Z"}');
});
