/** Programs as plugins: real processes that speak the contract, and those that do not. */
import { examineFile, examineStream, memoryReader, plainContext, type Plugin } from '@mbk/plugin-sdk';
import { pluginConformance } from '@mbk/plugin-sdk/testing';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makePlugin, programLimits } from '../../src/programs/program-plugin.ts';

const manifest = {
  apiVersion: 1,
  name: 'p',
  version: '1.0.0',
  match: [{ kind: 'data/p', extensions: ['.p'] }],
  contributes: ['inspect', 'validate', 'scan', 'diff'],
};

/** A program that answers `describe`, and runs `body` for all else; `ask(value)` says a line and gives the next one. */
function programOf(body: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mbk-program-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'mbk-asset-p.mjs');
  const source = `#!${process.execPath}
import { createInterface } from 'node:readline';
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => console.log(JSON.stringify(value));
const ask = async (value) => { say(value); return JSON.parse((await lines.next()).value); };
for (;;) {
  const { done, value } = await lines.next();
  if (done) break;
  const question = JSON.parse(value);
  if (question.ask === 'describe') say({ answer: ${JSON.stringify(manifest)} });
  else { ${body} }
}
`;
  writeFileSync(path, source);
  chmodSync(path, 0o755);
  return path;
}

// Node reserves far more address space than it uses.
const limits = { ...programLimits, memoryKb: 1 << 30 };
const load = (body: string, more = {}): Promise<Plugin> =>
  makePlugin({ name: 'p', program: programOf(body) }, { ...limits, ...more });
const context = plainContext({ kind: 'data/p', options: { deep: true } });
const file = memoryReader('a.p', Buffer.from('hello world'), { 'b.p': Buffer.from('other') });

/** Not so for one that ended and waits for somebody to ask. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a program', () => {
  test('reads what it wants, siblings too, and its answer is taken', async () => {
    const plugin = await load(`
      const { bytes } = await ask({ read: { offset: 6, length: 5 } });
      const { reader, size } = await ask({ sibling: { path: 'b.p' } });
      const none = await ask({ sibling: { path: 'none' } });
      const other = await ask({ read: { reader, offset: 0, length: size } });
      const text = (base64) => Buffer.from(base64, 'base64').toString();
      const facts = { text: text(bytes), other: text(other.bytes), none: none.reader, ...question.options };
      say({ answer: { inspection: { summary: 'read', facts }, findings: [] } });`);
    expect(await examineFile(plugin, file, context)).toEqual({
      inspection: { summary: 'read', facts: { text: 'world', other: 'other', none: null, deep: true } },
      findings: [],
    });
  });

  test('gets a stream piece by piece, and may stop before its end', async () => {
    const plugin = await load(`
      let size = 0;
      for (let piece = await ask({ next: true }); piece.end !== true; piece = await ask({ next: true }))
        size += Buffer.from(piece.bytes, 'base64').length;
      say({ answer: { inspection: { summary: String(size), facts: {} }, findings: [] } });`);
    const large = memoryReader('a.p', Buffer.alloc(3_000_000));
    expect((await examineStream(plugin, large, context)).inspection?.summary).toBe('3000000');
    const early = await load(`await ask({ next: true }); say({ answer: { findings: [] } });`);
    expect(await examineStream(early, large, context)).toEqual({ findings: [] });
  });

  test('may say that a file is malformed', async () => {
    const plugin = await load(`say({ malformed: { code: 'p/broken', message: 'no head', offset: 3 } });`);
    const finding = { code: 'p/broken', severity: 'error', message: 'no head', offset: 3 };
    expect(await examineFile(plugin, file, context)).toEqual({ findings: [finding] });
  });

  test('compares two versions', async () => {
    const plugin = await load(`
      const [a, b] = [question.before, question.after];
      say({ answer: { changes: [{ what: 'size', name: 'size', change: 'changed', before: a, after: b }], lines: [a + ' to ' + b] } });`);
    const difference = await plugin.diff?.(file, memoryReader('a.p', Buffer.alloc(3)), context);
    expect(difference?.lines).toEqual(['11 to 3']);
  });

  test.each([
    ['ends', 'process.exit(7);', /ended before it had answered/],
    ['writes what is no JSON', `console.log('hello');`, /no JSON object/],
    ['answers rubbish', `say({ answer: { findings: 3 } });`, /breaks the contract: findings is no list/],
    ['reads past the end', `await ask({ read: { offset: 10, length: 2 } });`, /read 10 \+ 2 of 11 bytes/],
    ['writes a line without end', `process.stdout.write('x'.repeat(100_000));`, /a line of more than 1000 bytes/],
    ['says nothing', `await new Promise(() => setTimeout(() => {}, 1e6));`, /silent for 8 s/],
    ['asks for ever', `for (;;) await ask({ read: { offset: 0, length: 1 } });`, /more than 50 lines/],
    ['fails and says why', `console.error('out of luck'); process.exit(1);`, /it wrote: out of luck/],
  ])('that %s costs its question, and the next one starts it again', async (_, body, message) => {
    const more = { lineBytes: 1000, lines: 50 };
    const plugin = await load(`if (question.path === 'ok.p') say({ answer: { findings: [] } }); else { ${body} }`, {
      ...more,
      silenceMs: body.includes('1e6') ? 8000 : 30_000,
    });
    await expect(examineFile(plugin, file, context)).rejects.toThrow(message);
    expect(await examineFile(plugin, memoryReader('ok.p', Buffer.from('x')), context)).toEqual({ findings: [] });
  });

  test('gets nothing of the environment', async () => {
    process.env['MBK_PASSPHRASE'] = 'secret';
    onTestFinished(() => void delete process.env['MBK_PASSPHRASE']);
    const plugin = await load(`
      const names = Object.keys(process.env).filter((name) => !name.startsWith('NODE') && name !== '_' && name !== 'PWD');
      say({ answer: { inspection: { summary: names.sort().join(' '), facts: {} }, findings: [] } });`);
    expect((await examineFile(plugin, file, context)).inspection?.summary).toBe('HOME LANG PATH');
  });

  test.skipIf(process.platform !== 'linux')(
    'that takes too much memory, itself or in what it starts, is ended with all of it',
    async () => {
      const hungry = `const held = Buffer.alloc(300 * 2 ** 20, 1); setInterval(() => held.length, 1000);`;
      const starts = `const { spawn } = await import('node:child_process');
        const { pid } = spawn(process.execPath, ['-e', ${JSON.stringify(hungry)}], { stdio: 'ignore' });
        console.error('child ' + pid);`;
      for (const body of [hungry, starts]) {
        const plugin = await load(`${body} await new Promise(() => undefined);`, { residentKb: 250_000 });
        const failure = await Promise.resolve(plugin.inspect?.(file, context)).then(
          () => '',
          (error: Error) => error.message,
        );
        expect(failure).toMatch(/more than 244 MiB of memory/);
        const [, child] = /child (\d+)/.exec(failure) ?? [];
        if (child !== undefined) await expect.poll(() => isRunning(Number(child))).toBe(false);
        expect(child === undefined).toBe(body === hungry);
      }
    },
  );

  test('that is not there is told', async () => {
    const missing = makePlugin({ name: 'p', program: '/nowhere/mbk-asset-p' });
    await expect(missing).rejects.toThrow(/p: it ended before it had answered/);
  });
});

const hasPython = spawnSync('python3', ['--version']).status === 0;

/** A second of silence. */
function wavFile(): Uint8Array {
  const data = Buffer.alloc(16_000);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

describe.skipIf(!hasPython)('the example in Python', async () => {
  const program = join(import.meta.dirname, '../../../../docs/examples/mbk-asset-wav');
  const plugin = hasPython ? await makePlugin({ name: 'wav', program }) : undefined;
  if (plugin === undefined) return;
  pluginConformance({ describe, test, expect }, plugin, {
    samples: [{ path: 'a.wav', bytes: wavFile() }],
    mutations: 60,
  });

  test('tells what it should', async () => {
    const bytes = wavFile();
    const wav = plainContext({ kind: 'data/wav' });
    expect((await examineFile(plugin, memoryReader('a.wav', bytes), wav)).inspection?.summary).toBe(
      '1 channels, 8000 Hz, 16 bits, 1.0 s',
    );
    const short = await examineFile(plugin, memoryReader('a.wav', bytes.subarray(0, 1000)), wav);
    expect(short.findings).toMatchObject([{ code: 'wav/truncated', message: '15044 bytes of sound are missing' }]);
  });
});
