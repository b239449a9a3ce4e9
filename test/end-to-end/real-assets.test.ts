import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test as plain } from 'vitest';
import { realAssets } from '../assets/real-assets.ts';
import { expectSameTree } from './judges.ts';
import { shell, test, type SnapshotSummary } from './site.ts';

const config = `
domains: [anime, hd]
rules:
  - match: models/**/rife-{domain}.*
    collection: models/production
  - match: adapters/**
    collection: models/adapter
    domain: system
  - match: data/**
    collection: data/raw
    domain: system
`;

test.skipIf(realAssets === undefined)(
  'weights that others trained come back from every snapshot as they were',
  async ({ site }) => {
    const { project, folder } = site;
    copyAssets(project);
    site.write('mbk.yaml', config);
    site.write('configs/train.yaml', 'lr: 2.0e-5\nepochs: 3\n');
    symlinkSync('models/gguf/rife-hd.f16.gguf', join(project, 'current'));
    setTimes(project);
    const first = keep(project, join(folder, 'first'));
    // One of the tables is broken, as its name says: that is told, and backed up all the same.
    const before = await site.json<SnapshotSummary>(['snapshot', '-m', 'as they came'], { code: 3 });
    expect(before.snapshots.map(({ domain }) => domain)).toEqual(['anime', 'hd', 'system']);
    expect(before.incomplete).toEqual([]);

    edit(project);
    const second = keep(project, join(folder, 'second'));
    const after = await site.json<SnapshotSummary>(['snapshot', '-m', 'after a day of work'], { code: 3 });
    // What was copied, renamed, touched or only changed in a tensor is not stored again.
    expect(after.newBytes).toBeLessThan(before.newBytes / 4);

    for (const [original, ancestor] of [
      [first, '~1'],
      [second, ''],
    ] as const) {
      const restored = join(folder, `restored${ancestor}`);
      // Each domain is a history of its own; together they are the project.
      await site.mbk(['checkout', `anime${ancestor}`, '--to', restored]);
      await site.mbk(['checkout', `hd${ancestor}`, '--to', restored, '--overwrite', 'newer']);
      await site.mbk(['checkout', `system${ancestor}`, '--to', restored, '--overwrite', 'newer', '--verify']);
      expectSameTree(restored, original);
    }
    await site.mbk(['verify', '--data']);
  },
);

plain.skipIf(realAssets !== undefined)('MBK_TEST_ASSETS is not set: nothing was tried on real weights', (context) => {
  context.skip();
});

/** The assets are read-only; what is worked on is not. */
function copyAssets(project: string): void {
  cpSync(realAssets ?? '', project, { recursive: true });
  shell('chmod -R u+w .', project);
}

/** Times to the nanosecond, of files, folders and links, and some modes. */
function setTimes(project: string): void {
  shell(
    `find . -name '*.gguf' -exec touch -d '2024-02-29 13:14:15.123456789' {} +
     find . -name '*.pt' -exec touch -d '2021-12-31 23:59:59.999999999' {} +
     chmod 0600 models/gguf/*q4*; chmod 0755 data/invalid.parquet; chmod 0700 voices
     touch -h -d '2022-03-04 05:06:07.000000321' current
     touch -d '2023-01-02 03:04:05.678901234' models models/gguf adapters voices`,
    project,
  );
}

/** One day: a config line, a few weights of a model, a new file, some gone, some renamed, some only touched. */
function edit(project: string): void {
  writeFileSync(join(project, 'configs/train.yaml'), 'lr: 1.0e-5\nepochs: 3\n');
  flipBytes(join(project, 'models/safetensors/rife-hd.f32.safetensors'), 3_000_000, 4096);
  flipBytes(join(project, 'models/gguf/rife-anime.q4_k.gguf'), 500_001, 17);
  writeFileSync(join(project, 'data/new.jsonl'), '{"prompt":"…"}\n'.repeat(1000));
  mkdirSync(join(project, 'models/retired'));
  renameSync(join(project, 'models/gguf/rife-anime.q2_k.gguf'), join(project, 'models/retired/rife-anime.q2_k.gguf'));
  renameSync(join(project, 'voices'), join(project, 'speech'));
  rmSync(join(project, 'models/silero_vad_16k_op15.onnx'));
  rmSync(join(project, 'checkpoints'), { recursive: true });
  rmSync(join(project, 'current'));
  symlinkSync('models/gguf/rife-anime.f16.gguf', join(project, 'current'));
  shell(
    `chmod 0640 adapters/lora_illust.pt; chmod 0750 data
     touch -d '1999-12-31 23:59:59.000000001' adapters/lora_disney.safetensors
     touch -d '2026-05-06 07:08:09.5' models/vocab/*llama*`,
    project,
  );
}

/** Changes bytes in place; size and, by itself, name stay. */
function flipBytes(file: string, position: number, length: number): void {
  const fd = openSync(file, 'r+');
  const bytes = new Uint8Array(length);
  readSync(fd, bytes, 0, length, position);
  writeSync(
    fd,
    bytes.map((byte) => byte ^ 0xff),
    0,
    length,
    position,
  );
  closeSync(fd);
}

/** A copy by `cp -a`, to hold what is restored against. */
function keep(project: string, copy: string): string {
  shell(`cp -a -- "${project}" "${copy}"`, '/');
  return copy;
}
