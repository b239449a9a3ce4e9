import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { gearTable } from '../../src/chunker/gear.ts';
import { sha256Hex } from '../../src/crypto/hash.ts';
import { MbkError } from '../../src/errors.ts';
import type { StoreBlob } from '../../src/snapshot/blobs.ts';
import { captureFile, type Capture, type CaptureOptions } from '../../src/snapshot/capture-file.ts';
import { fileEntry } from '../../src/snapshot/entry-of.ts';
import { fileStorer } from '../../src/snapshot/file-storer.ts';
import { walk, type WalkedFile } from '../../src/snapshot/walk.ts';
import { temporaryFolders } from '../backend/temporary-folder.ts';
import { fileOf } from '../chunker/cut.ts';
import { blobStore } from './blob-store.ts';
import { makeFolder, openFolder, withoutPrivileges, write } from './bytes-on-disk.ts';

const folder = temporaryFolders();
const gear = gearTable(new Uint8Array(32));
const big = fileOf([6_000_000]);

function walkedFile(root: string, name: string): WalkedFile {
  for (const event of walk(root)) if (event.type === 'file' && event.name === name) return event;
  throw new Error(`no file ${name} in ${root}`);
}

function newFile(content: string | Uint8Array): { readonly root: string; readonly file: WalkedFile } {
  const root = folder();
  makeFolder(root);
  write(root, 'f', content);
  return { root, file: walkedFile(root, 'f') };
}

/** Captures `file` while `meddle` does something to it each time a blob is stored. */
async function capture(
  file: WalkedFile,
  meddle: (count: number) => void,
  options: Partial<CaptureOptions> = {},
): Promise<Capture> {
  const blobs = blobStore();
  let count = 0;
  const store: StoreBlob = (type, bytes) => {
    meddle(count);
    count += 1;
    return blobs.store(type, bytes);
  };
  return captureFile(file, { storer: fileStorer({ store, gear }), ...options });
}

describe('capturing a file', () => {
  test('gives its content and the facts that it had', async () => {
    const { file } = newFile('hello');
    const captured = await capture(file, () => undefined);
    expect(captured).toMatchObject({
      kind: 'captured',
      changed: false,
      content: { size: 5, sha256: sha256Hex(Buffer.from('hello')) },
    });
    if (captured.kind !== 'captured') return;
    expect(captured.facts).toEqual(file.facts);
    expect(fileEntry(file.name, captured.facts, captured.content)).toMatchObject({ type: 'file', name: 'f', size: 5 });
  });

  test('reads one that changed once again, and takes it as it is then', async () => {
    const { root, file } = newFile(big);
    const changed = Buffer.from(big);
    changed[10] = 1;
    changed[5_000_000] = 1;
    const captured = await capture(file, (count) => {
      if (count === 1) write(root, 'f', changed);
    });
    expect(captured).toMatchObject({ kind: 'captured', changed: false, content: { sha256: sha256Hex(changed) } });
  });

  test('keeps one that changes every time as it was read, and says so', async () => {
    const { root, file } = newFile(big);
    let writes = 0;
    const captured = await capture(file, () => {
      writes += 1;
      fs.appendFileSync(`${root}/f`, 'x');
    });
    expect(captured).toMatchObject({ kind: 'captured', changed: true });
    if (captured.kind !== 'captured') return;
    // The size that it had when it was opened for the last time, of three.
    expect(captured.content.size).toBeGreaterThan(big.length);
    expect(captured.content.size).toBe(captured.facts.size);
    const read = fs.readFileSync(`${root}/f`).subarray(0, captured.content.size);
    expect(captured.content.sha256).toBe(sha256Hex(read));
    expect(writes).toBeGreaterThan(5);
    expect(fileEntry('f', captured.facts, captured.content, captured)).toHaveProperty('changed', true);
  });

  test('records of one that shrinks what was read of it', async () => {
    const { root, file } = newFile(big);
    let size = big.length;
    const captured = await capture(file, (count) => {
      if (count % 2 === 0) fs.truncateSync(`${root}/f`, (size -= 1_900_000));
    });
    expect(captured.kind).toBe('captured');
    if (captured.kind !== 'captured') return;
    expect(captured.content.size).toBeLessThan(big.length);
    expect(captured.content.sha256).toBe(sha256Hex(big.subarray(0, captured.content.size)));
  });

  test('notices a write that leaves size and time of the file as they were', async () => {
    const { root, file } = newFile(big);
    const { atime, mtime } = fs.statSync(`${root}/f`);
    let meddled = 0;
    const captured = await capture(file, () => {
      const fd = fs.openSync(`${root}/f`, 'r+');
      fs.writeSync(fd, Buffer.from([(meddled += 1)]), 0, 1, 5_999_999);
      fs.futimesSync(fd, atime, mtime);
      fs.closeSync(fd);
    });
    expect(captured).toMatchObject({ kind: 'captured', changed: true });
  });

  test('reports one that vanished, or became something else', async () => {
    const gone = newFile('x');
    fs.rmSync(`${gone.root}/f`);
    const linked = newFile('x');
    fs.rmSync(`${linked.root}/f`);
    fs.symlinkSync('/etc/passwd', `${linked.root}/f`);
    const piped = newFile('x');
    fs.rmSync(`${piped.root}/f`);
    fs.mkdirSync(`${piped.root}/f`);
    for (const { file } of [gone, linked, piped]) {
      const problem = await capture(file, () => undefined);
      expect(problem).toMatchObject({ kind: 'problem', problem: { path: 'f', reason: 'vanished' } });
    }
  });

  test('reports one that vanished between two readings', async () => {
    const { root, file } = newFile('x');
    expect(await capture(file, () => fs.rmSync(`${root}/f`))).toMatchObject({
      kind: 'problem',
      problem: { reason: 'vanished' },
    });
  });

  test('reports one that may not be read', async () => {
    const root = openFolder(folder());
    write(root, 'f', 'x');
    fs.chmodSync(`${root}/f`, 0o000);
    const file = walkedFile(root, 'f');
    const capturing = withoutPrivileges(root, () => capture(file, () => undefined));
    expect(await capturing).toMatchObject({ kind: 'problem', problem: { reason: 'denied' } });
  });

  test('an error of the store is an error, and closes the file', async () => {
    const { file } = newFile('x');
    const open = fs.readdirSync('/proc/self/fd').length;
    const failing = capture(file, () => {
      throw new MbkError('backend-full', 'no room');
    });
    await expect(failing).rejects.toMatchObject({ code: 'backend-full' });
    const system = Object.assign(new Error('EIO'), { code: 'EIO' });
    await expect(
      capture(file, () => {
        throw system;
      }),
    ).rejects.toBe(system);
    expect(fs.readdirSync('/proc/self/fd').length).toBe(open);
  });

  test('asks for the layout of the file as it is opened', async () => {
    const { file } = newFile(big);
    const captured = await capture(file, () => undefined, {
      cutOf: async (source) => {
        const head = new Uint8Array(4);
        expect(source.read(head, 100)).toBe(4);
        expect([...head]).toEqual([...big.subarray(100, 104)]);
        const length = source.facts.size - 64;
        const tensor = { name: 't', dtype: 'F32', shape: [1000], offset: 64, length, unit: 4 };
        return { layout: { container: 'gguf', tensors: [tensor] } };
      },
    });
    expect(captured).toMatchObject({ kind: 'captured', content: { layout: expect.any(String) } });
  });
});
