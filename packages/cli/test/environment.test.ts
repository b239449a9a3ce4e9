import { describe, expect, test } from 'vitest';
import { childEnvironment, readEnvironment, isHostName } from '../src/environment.ts';

describe('readEnvironment', () => {
  test('reads what is set and falls back to the XDG folders', () => {
    const environment = readEnvironment({ MBK_REPOSITORY: './r', XDG_CACHE_HOME: '/c', XDG_STATE_HOME: 'relative' });
    expect(environment.repository).toBe('./r');
    expect(environment.cacheFolder).toBe('/c/mbk');
    expect(environment.stateFolder).toMatch(/^\/.*\/\.local\/state\/mbk$/);
    expect(environment.secrets).toEqual({});
    expect(environment.host).not.toBe('');
  });

  test.each([
    [{ MBK_REPOSITORY: '' }, 'MBK_REPOSITORY is set but empty'],
    [{ MBK_PASSPHRASE: '' }, 'MBK_PASSPHRASE is set but empty'],
    [{ MBK_CACHE_DIR: 'cache' }, 'MBK_CACHE_DIR is "cache", which is not an absolute path'],
    [{ MBK_STATE_DIR: './s' }, 'MBK_STATE_DIR is "./s", which is not an absolute path'],
    [{ MBK_HOST: 'a\nb' }, 'MBK_HOST holds control characters'],
    [{ MBK_HOST: 'ż'.repeat(128) }, 'MBK_HOST holds control characters or more than 255 bytes'],
    [{ MBK_EXPECT_HEAD: '12' }, 'MBK_EXPECT_HEAD is no place in a log'],
    [{ MBK_PASSPHRASE: 'x', MBK_PASSPHRASE_FILE: '/f' }, 'MBK_PASSPHRASE, MBK_PASSPHRASE_FILE are set together'],
  ])('%j is refused', (env, message) => {
    expect(() => readEnvironment(env)).toThrow(expect.objectContaining({ code: 'environment-invalid' }));
    expect(() => readEnvironment(env)).toThrow(message);
  });

  test('a secret never stands in the error', () => {
    const env = { MBK_PASSPHRASE: 'hunter2', MBK_PASSPHRASE_COMMAND: 'pass show hunter2' };
    expect(() => readEnvironment(env)).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching('hunter') }),
    );
  });
});

test('children get everything but the secrets', () => {
  const env = {
    PATH: '/bin',
    MBK_HOST: 'h',
    MBK_PASSPHRASE: 'a',
    MBK_PASSPHRASE_NEW: 'b',
    MBK_KEY_FILE: 'c',
    MBK_KEYRING: 'd',
  };
  expect(childEnvironment(env)).toEqual({ PATH: '/bin', MBK_HOST: 'h' });
});

test.each(['', 'two\nlines', 'x'.repeat(256)])('%j is no name of a host, in a variable or a flag', (text) => {
  expect(isHostName(text)).toBe(false);
});
