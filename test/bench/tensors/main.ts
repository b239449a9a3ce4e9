/**
 * `pnpm bench:tensors`: how many bits a weight takes on real weights, and what all of their folder takes beside what other
 * programs store of it. Writes docs/bench/tensors.md.
 *
 *   --assets DIR      the folder; that of MBK_TEST_ASSETS unless given
 *   --contenders A,B  for the folder as a whole; mbk, mbk-best, restic, borg-19 and tar-19 unless given
 *   --work DIR        where repositories lie
 *   --print           print the page in place of writing it
 */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { realAssets } from '../../assets/real-assets.ts';
import { findContenders } from '../contenders/find-contenders.ts';
import { folderFacts } from '../folder-facts.ts';
import { openLab } from '../lab.ts';
import { type Command, openMeter } from '../measure-command.ts';
import { openWorkFolder } from '../work-folder.ts';
import { bytePlanes, xorPlanes, zstd } from './baselines.ts';
import { relatedOf } from './related.ts';
import { storeTensors } from './stored-tensors.ts';
import { type FileFigures, type FolderFigures, tensorsPage } from './tensors-page.ts';
import { type WeightFile, weightFiles } from './weight-files.ts';

const { values } = parseArgs({
  options: {
    assets: { type: 'string' },
    contenders: { type: 'string', default: 'mbk,mbk-best,restic,borg-19,tar-19' },
    work: { type: 'string' },
    print: { type: 'boolean', default: false },
  },
});

const given = values.assets ?? realAssets;
if (given === undefined) throw new Error('name a folder with weights: --assets, or MBK_TEST_ASSETS');
const folder = resolve(given);
const files = await weightFiles(folder);
say(`${files.length} files with weights`);

// The folder first: what is missing is found at once.
const whole = await folderFigures();
const page = tensorsPage({ files: await figuresOf(), folder: whole });
if (values.print) process.stdout.write(page);
else writeFileSync(join(import.meta.dirname, '../../../docs/bench/tensors.md'), page);

async function figuresOf(): Promise<FileFigures[]> {
  const smallest = await storeTensors(folder, files, { compression: 'best' });
  const quick = await storeTensors(folder, files, { compression: 'fast' });
  const figures: FileFigures[] = [];
  for (const file of files) {
    const alone = async (compression: 'fast' | 'best'): Promise<number> => {
      const { payloads } = await storeTensors(folder, files, { compression, only: file.path });
      return sumOf(payloads.get(file.path));
    };
    const related = relatedOf(file, files);
    figures.push({
      path: file.path,
      dtypes: file.dtypes,
      weights: file.weights,
      payloadBytes: file.payloadBytes,
      fast: await alone('fast'),
      best: await alone('best'),
      planes: bytePlanes(file),
      related: related?.path,
      xor: related === undefined ? undefined : xorPlanes(file, related),
      mbk: sumOf(smallest.payloads.get(file.path)),
      mbkFast: sumOf(quick.payloads.get(file.path)),
      codecs: [...(smallest.payloads.get(file.path)?.keys() ?? [])].toSorted((a, b) => a - b),
    });
    say(file.path);
  }
  return figures;
}

async function folderFigures(): Promise<FolderFigures> {
  const { found, missing } = findContenders(values.contenders.split(','));
  for (const one of missing) say(`${one} is not installed (or, mbk, not built) and is left out`);
  const { bytes, files: count } = folderFacts(folder);
  const work = openWorkFolder({
    work: values.work,
    corpora: undefined,
    neededBytes: 8 * bytes,
    processId: process.pid,
  });
  try {
    const lab = openLab(work.run, { meter: openMeter(work.folder), folderNames: [[folder, '$ASSETS']] });
    const rows: { name: string; version: string; bytes: number }[] = [];
    for (const contender of found) {
      const site = await lab.freshSite(contender, 'tensors');
      backUp(contender.backup(site, { series: 'assets', label: 'one', source: folder }));
      rows.push({ name: contender.name, version: contender.version, bytes: folderFacts(site.repository).bytes });
      say(`${contender.name}: ${rows.at(-1)?.bytes} bytes`);
      lab.removeSite(site);
    }
    return { files: count, bytes, rows, planes: planesOfFolder(bytes) };
  } finally {
    work.remove();
  }
}

/** A backup of all files; mbk ends with 3 where a plugin finds an error in one of them. */
function backUp({ program, args, cwd, env }: Command): void {
  const { status, stderr } = spawnSync(program, args, {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
  if (status !== 0 && status !== 3) throw new Error(`${program} ended with ${status}: ${stderr}`);
}

/** Byte planes of all tensors; everything else by zstd at level 3. */
function planesOfFolder(all: number): number {
  const weights = files.reduce((sum, file) => sum + bytePlanes(file) + zstd(restOf(file), 3), 0);
  // Files without weights are few and no matter of this: they are counted as they are.
  return weights + all - files.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** What of a file is no tensor. */
function restOf({ bytes, tensors }: WeightFile): Uint8Array {
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const { offset, length } of tensors) {
    if (length === 0) continue;
    parts.push(bytes.subarray(end, offset));
    end = offset + length;
  }
  return Buffer.concat([...parts, bytes.subarray(end)]);
}

function sumOf(byCodec: ReadonlyMap<number, number> | undefined): number {
  return [...(byCodec?.values() ?? [])].reduce((sum, bytes) => sum + bytes, 0);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
