/** docs/bench/tensors.md. */

import { markdownTable } from '../table.ts';

export interface FileFigures {
  readonly path: string;
  readonly dtypes: readonly string[];
  readonly weights: number;
  readonly payloadBytes: number;
  /** Stored bytes of the payloads: of the file alone, by each setting. */
  readonly fast: number;
  readonly best: number;
  /** Byte planes, each by zstd at level 1. */
  readonly planes: number;
  /** A file that is related, and XOR planes with that one. */
  readonly related: string | undefined;
  readonly xor: number | undefined;
  /** What the file adds to a repository of all of them. */
  readonly mbk: number;
  readonly mbkFast: number;
  /** Numbers of the codecs of its payloads there. */
  readonly codecs: readonly number[];
}

export interface FolderFigures {
  readonly files: number;
  readonly bytes: number;
  readonly rows: ReadonlyArray<{ readonly name: string; readonly version: string; readonly bytes: number }>;
  /** Byte planes, and zstd at level 3 of the rest. */
  readonly planes: number;
}

export function tensorsPage({
  files,
  folder,
}: {
  readonly files: readonly FileFigures[];
  readonly folder: FolderFigures;
}): string {
  const rows = files.map((file) => {
    const bits = (bytes: number): string => ((8 * bytes) / file.weights).toFixed(2);
    const ratio = (bytes: number): string => (file.payloadBytes / bytes).toFixed(2);
    return [
      nameOf(file.path),
      file.dtypes.slice(0, 2).join(', '),
      ((8 * file.payloadBytes) / file.weights).toFixed(2),
      bits(file.planes),
      `${bits(file.fast)} (${ratio(file.fast)}×)`,
      `${bits(file.best)} (${ratio(file.best)}×)`,
      file.xor === undefined ? '–' : bits(file.xor),
      bits(file.mbkFast),
      bits(file.mbk),
      file.codecs.join(' '),
    ];
  });
  const head = [
    'file',
    'type',
    'plain',
    'byte planes',
    'alone, fast',
    'alone, best',
    'XOR planes',
    'mbk, fast',
    'mbk, best',
    'codecs',
  ];
  const whole = [
    ...folder.rows.map(({ name, version, bytes }) => [
      name,
      version,
      mebibytes(bytes),
      (folder.bytes / bytes).toFixed(2),
    ]),
    ['byte planes (ZipNN)', '–', mebibytes(folder.planes), (folder.bytes / folder.planes).toFixed(2)],
  ];
  return [
    '# Real weights',
    '',
    'Made by `pnpm bench:tensors` from a folder of weights that other people trained (see `MBK_TEST_ASSETS` in',
    '[CONTRIBUTING](../../CONTRIBUTING.md)). Sizes are exact and the same on every machine, but for a few bytes of padding.',
    '',
    '## Bits a weight',
    '',
    'What the payloads of tensors take, divided by their weights. *Alone*: the file by itself in a repository. *mbk*: what it adds',
    'to a repository of all these files, taken in the order of their paths; what is known there already, or differs little from',
    'what is, costs accordingly less, and 0.00 is a file whose tensors all were known. *Byte planes*: each byte of the elements',
    'by itself, the exponent rotated into one, by zstd at level 1 where that saves, as ZipNN does. *XOR planes*: with the related',
    'file, by zstd at level 3, as BitX does. *Codecs*: numbers of [the format](../format.md#frames-and-codecs).',
    '',
    markdownTable(head, rows),
    '',
    '## All of the folder',
    '',
    `${folder.files} files, ${mebibytes(folder.bytes)} MiB. \`byte planes\`: tensors in planes, the rest of each file by zstd at level 3, files`,
    'without tensors as they are; no repository around it.',
    '',
    markdownTable(['program', 'version', 'stored MiB', 'ratio'], whole),
    '',
  ].join('\n');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^api__src__voices__v1_0__/, '');
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(2);
}
