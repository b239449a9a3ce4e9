/** Holds docs/format.md against the code: every magic, label, size, number and field name that both speak of. */

import { longestCode } from '../../packages/kernels/src/index.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { rawCodec } from '../../packages/core/src/codec/raw.ts';
import { tensorReader } from '../../packages/core/src/codec/tensor.ts';
import { modes } from '../../packages/core/src/codec/tensor/stream.ts';
import {
  mostUnitBytes,
  numbered,
  singles,
  paletteTransforms,
  tokenTransforms,
  transforms,
} from '../../packages/core/src/codec/tensor/transform.ts';
import { segmentBytes } from '../../packages/core/src/codec/tensor/workspace.ts';
import { zstdCodec } from '../../packages/core/src/codec/zstd.ts';
import { gearWindow } from '../../packages/core/src/chunker/gear.ts';
import { boxOverhead, headerBytes, magics } from '../../packages/core/src/crypto/entry.ts';
import { subkeyLabels } from '../../packages/core/src/crypto/keyset.ts';
import { argon2Cost, slotKinds } from '../../packages/core/src/crypto/slot.ts';
import { canonicalText } from '../../packages/core/src/format/canonical-json.ts';
import { gitObjectTypes } from '../../packages/core/src/format/catalogue-bundle.ts';
import { blobTypes, lifetimes } from '../../packages/core/src/format/ids.ts';
import {
  regions,
  rootBytes,
  rowBytes,
  rowsPerPage,
  segmentTrailerBytes,
} from '../../packages/core/src/format/index-segment.ts';
import {
  layoutFileBytes,
  limits,
  ownFrameBytes,
  parameters,
  stateInterval,
} from '../../packages/core/src/format/limits.ts';
import { packTrailerBytes } from '../../packages/core/src/format/pack-footer.ts';
import { encodeLogState } from '../../packages/core/src/format/log-state.ts';
import { entryText } from '../../packages/core/src/format/tree.ts';
import { sampleEntries, sampleOperations, sampleState } from '../golden/samples.ts';
import { goldenVectors } from '../golden/vectors.ts';
import { codeOf, filesBelow, numberOf, readText, sectionOf, shown, tableOf, tablesOf, type Table } from './markdown.ts';

const page = readText('docs/format.md');
const section = (heading: string): string => sectionOf(page, heading);
const sources = filesBelow('packages/core/src', (path) => path.endsWith('.ts')).map((path) => ({
  path,
  text: readText(path),
}));
const code = sources.map(({ text }) => text).join('\n');
const sorted = (items: Iterable<string>): string[] => [...new Set(items)].toSorted();
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');
const mebibytes = (bytes: number): string => `${bytes / 1_048_576} MiB`;

describe('magics and labels', () => {
  test('the magics of entries', () => {
    const named = codeOf(tableOf(section('Sealing'), 'offset').rows[0]?.[2] ?? '').filter((text) =>
      text.startsWith('mbk'),
    );
    expect(named).toEqual([...magics]);
    expect(section('Sealing')).toContain(`*common header*, ${headerBytes} bytes`);
  });

  test('every label of a key or signature is in the page, and every one of the page in the code', () => {
    const labelsIn = (text: string): string[] =>
      [...text.matchAll(/[`']mbk\/1 ([a-z ]+?)(?: \$\{label\})?[`']/g)].map(([, label = '']) => label);
    const expanded = labelsIn(code).flatMap((label) =>
      label === 'keyset' ? subkeyLabels.map((one) => `keyset ${one}`) : [label],
    );
    expect(sorted(labelsIn(page))).toEqual(sorted(expanded));
  });

  test('the subkeys of a keyset', () => {
    expect(tableOf(section('Keys'), 'label').rows.map(([label]) => label)).toEqual(
      subkeyLabels.map((one) => `\`mbk/1 keyset ${one}\``),
    );
  });

  test('the salts of the filter', () => {
    const saltsIn = (text: string): string[] => [...text.matchAll(/0x[0-9a-f]{8}/g)].map(([salt]) => salt);
    const filter = sources.find(({ path }) => path.endsWith('pack/block-filter.ts'));
    expect(saltsIn(section('Index segments'))).toEqual(saltsIn(filter?.text ?? ''));
  });
});

describe('tables of bytes', () => {
  const layouts: [string, Table, number][] = [
    ['the common header', tableOf(section('Sealing'), 'offset'), headerBytes],
    ['the trailer of a pack', tableOf(section('Packs'), 'trailer offset'), packTrailerBytes],
    ['a frame row', tableOf(section('Packs'), 'frame row'), 32],
    ['a blob row', tableOf(section('Packs'), 'blob row'), 40],
  ];

  test.each(layouts)('%s: each field begins where the one before ends', (_, { rows }, byteLength) => {
    let end = 0;
    for (const [offset = '', size = ''] of rows) {
      expect(numberOf(offset)).toBe(end);
      end += numberOf(size);
    }
    expect(end).toBe(byteLength);
  });

  test.each([
    ['a log entry', tableOf(section('The log'), 'offset'), 96],
    ['a footer', tableOf(section('Packs'), 'offset'), 24],
  ] as const)('%s: fixed fields without a gap', (_, { rows }, fixed) => {
    const sized = rows.slice(
      0,
      rows.findIndex(([, size = '']) => !/^\d+$/.test(size)),
    );
    expect(
      sized.reduce((end, [offset = '', size = '']) => (expect(numberOf(offset)).toBe(end), end + numberOf(size)), 0),
    ).toBe(fixed);
  });

  test('the regions of an index segment, their rows and pages', () => {
    const { rows } = tableOf(section('Index segments'), 'region');
    expect(rows.map(([region]) => region)).toEqual([...regions]);
    for (const [index, region] of regions.entries()) {
      const [, size = '', perPage = '', fields = ''] = rows[index] ?? [];
      expect([region, numberOf(size), numberOf(perPage)]).toEqual([region, rowBytes[region], rowsPerPage(region)]);
      const sizes = [...fields.matchAll(/\((\d+)\)/g)].map(([, bytes]) => Number(bytes));
      if (sizes.length > 1)
        expect([region, sizes.reduce((sum, bytes) => sum + bytes, 0)]).toEqual([region, rowBytes[region]]);
    }
    expect(flat(section('Index segments'))).toContain(
      `over ${rootBytes} bytes, then a trailer of ${segmentTrailerBytes} bytes`,
    );
  });

  test('the codes of the rows agree with the tables above their codecs', () => {
    // Each layout stands a second time above its codec (docs: the same offsets, sizes and order).
    const footer = sources.find(({ path }) => path.endsWith('format/pack-footer.ts'))?.text ?? '';
    for (const [offset, size, meaning = ''] of tableOf(section('Packs'), 'frame row').rows) {
      const words = meaning.split(/[:,(]/)[0]?.trim() ?? '';
      expect(footer).toMatch(new RegExp(`\\*\\s+${offset}\\s+${size}\\s+${words.replace(' in the pack', '')}`));
    }
  });
});

describe('numbers', () => {
  test('the parameters of entry 1', () => {
    expect(section('Operations')).toContain(`\`${canonicalText(parameters)}\``);
  });

  test('the cost of a passphrase', () => {
    const kdf = canonicalText({ name: 'argon2id', ...argon2Cost, salt: 'SALT' }).replace('"SALT"', '<32 hex>');
    expect(section('Slots')).toContain(`\`${kdf}\``);
    const { argon2MemoryKiB, argon2Parallelism, argon2Passes } = limits;
    expect(flat(section('Slots'))).toContain(
      `refuse \`memoryKiB\` over ${shown(argon2MemoryKiB)}, \`passes\` over ${argon2Passes}, \`parallelism\` over ${argon2Parallelism}`,
    );
    for (const kind of slotKinds) expect(codeOf(section('Slots'))).toContain(`"${kind}"`);
  });

  const {
    averageBytes,
    frameBytes,
    maximumBytes,
    minimumBytes,
    packBytes,
    pieceBytes,
    smallTensorBytes,
    wholeFileBytes,
    zeroRunBytes,
  } = parameters;
  test.each([
    ['Packs', `at most ${mebibytes(limits.packBytes)} and should be closed at ${mebibytes(packBytes)}`],
    ['Packs', `number of frames F, at most 2^${Math.log2(limits.packFrames)}`],
    ['Packs', `number of blobs B, at most 2^${Math.log2(limits.packBlobs)}`],
    ['Packs', `depth, 0 to ${limits.depth}`],
    ['Packs', `lifetime: 0 ${lifetimes[0]} (kept up to 100 days), 1 ${lifetimes[1]}, 2 ${lifetimes[2]}`],
    ['Packs', 'type: 1 data, 2 tree, 3 chunk list, 4 layout, 5 table, 6 links'],
    [
      'Frames and codecs',
      `one blob of ${ownFrameBytes / 1024} KiB or more, or small blobs together up to ${mebibytes(frameBytes)}`,
    ],
    ['The log', `at most ${mebibytes(limits.logEntryBytes)}`],
    ['State', `Entry n with n mod ${stateInterval} = 0`],
    ['State', `at most ${stateInterval - 1} entries after it`],
    ['Content', `under ${shown(layoutFileBytes)} bytes, or under ${shown(wholeFileBytes)} without a layout`],
    ['Content', `starts and ends at a multiple of ${shown(zeroRunBytes)}`],
    ['Chunking', `each tensor of at least \`smallTensorBytes\` (${shown(smallTensorBytes)}) bytes`],
    ['Chunking', `not over ${shown(pieceBytes)} bytes`],
    ['Chunking', `blobs of ${shown(pieceBytes)} bytes, the last one shorter`],
    ['Chunking', `skip ${shown(minimumBytes)} − ${gearWindow} bytes`],
    ['Chunking', `After at least ${shown(minimumBytes)} bytes`],
    [
      'Chunking',
      `h < 2^10 (before ${shown(averageBytes)} bytes) or h < 2^14 (from there on), or at ${shown(maximumBytes)} bytes`,
    ],
    [
      'Trees',
      `low 10 bits zero, or at ${shown(limits.treeEntries)} entries, or before ${mebibytes(limits.treeLeafBytes)} of JSON`,
    ],
    ['Trees', `low 10·(L+1) bits zero, or at ${shown(limits.treeEntries)} children`],
    ['Trees', `low 8 bits zero, or at ${shown(limits.chunksInLeaf)} chunks`],
    ['Trees', `split at ${mebibytes(limits.blobBytes)} by line`],
    ['Trees', `1 to ${limits.nameBytes} bytes`],
    ['Trees', `symlinks, 1 to ${shown(limits.targetBytes)} bytes`],
    ['Catalogue', `type (1: ${gitObjectTypes.map((type, index) => `${index + 1} ${type}`).join(', ')})`],
    ['Limits', `${mebibytes(limits.blobBytes)} (document: ${mebibytes(limits.documentBytes)})`],
    ['Limits', `| pack | ${mebibytes(limits.packBytes)} |`],
    ['Limits', `${mebibytes(limits.frameBytes)}; its box ${mebibytes(limits.frameBytes)} + ${boxOverhead}`],
    ['Limits', `and at most ${limits.depth} |`],
    [
      'Limits',
      `${shown(limits.treeEntries)} entries and about ${mebibytes(limits.treeLeafBytes)}; ${shown(limits.chunksInLeaf)} chunks`,
    ],
    ['Limits', `${shown(limits.directoryDepth)} directories; levels of one tree: ${limits.treeLevels}`],
    ['Limits', `${shown(limits.layoutTensors)} tensors and ${mebibytes(limits.blobBytes)}`],
    ['Limits', `${limits.nameBytes} bytes; link target ${shown(limits.targetBytes)} bytes`],
  ])('%s: %s', (heading, phrase) => {
    expect(flat(section(heading))).toContain(phrase);
  });

  // Numbers that one file of the code keeps for itself: its text, and the words of the page for it.
  test.each([
    ['chunker/content-cutter.ts', 'earlyBits = 10;', 'Chunking', 'h < 2^10'],
    ['chunker/content-cutter.ts', 'lateBits = 14;', 'Chunking', 'h < 2^14'],
    ['snapshot/tree-builder.ts', 'bitsPerLevel = 10;', 'Trees', 'low 10 bits'],
    ['snapshot/chunk-list-builder.ts', "id.endsWith('00')", 'Trees', 'low 8 bits'],
    ['codec/encode-frame.ts', 'leastSaving = 1 / 64;', 'Frames and codecs', 'at least 1/64 of the bytes'],
    ['pack/frame-aggregator.ts', 'maxBlobs = 4096;', 'Limits', 'writers put at most 4,096'],
    ['pack/pack-writer.ts', 'footerStep = 4096;', 'Packs', 'a multiple of 4 KiB'],
    ['pack/pack-writer.ts', 'padmeBelow = 4 * 1024 * 1024;', 'Packs', 'under 4 MiB'],
    ['format/pack-footer.ts', 'maxBases = 0xffff;', 'Limits', '65,535; depth is 0 exactly'],
    ['format/index-segment.ts', 'pageBytes = 16_384;', 'Index segments', 'at most 16,384 bytes'],
    ['format/log-entry.ts', 'maxSections = 255;', 'The log', 'number of sections S, 1 to 255'],
    [
      'format/catalogue-bundle.ts',
      'rowBytes = 25;',
      'Catalogue',
      'type (1: 1 commit, 2 tree, 3 blob, 4 tag), SHA-1 id (20), length (4)',
    ],
    ['crypto/sealed-document.ts', 'preludeBytes = 12;', 'Sealing', '| 12 | – | stored body'],
    ['crypto/secret-text.ts', 'mbk-key-1:', 'Slots', '`mbk-key-1:`'],
    ['log/load-log.ts', 'longestHole = 16;', 'Damage and repair of the log', 'above 16 absent numbers in a row'],
    ['log/load-log.ts', 'read.length === stateInterval', 'Damage and repair of the log', 'above 256 unreadable ones'],
    ['log/check-clock.ts', 'clockJitterMs = 60_000;', 'Damage and repair of the log', 'back by more than a minute'],
    ['log/check-clock.ts', '400 * dayMs;', 'Damage and repair of the log', 'more than 400 days'],
    [
      'log/apply-entry.ts',
      'maxFindings = 16;',
      'Damage and repair of the log',
      'At most 16 findings are kept an entry',
    ],
  ])('%s: %s', (file, text, heading, phrase) => {
    expect(sources.find(({ path }) => path === `packages/core/src/${file}`)?.text).toContain(text);
    expect(flat(section(heading))).toContain(phrase);
  });

  test('every limit of the code is in the page', () => {
    const written = flat(page);
    const forms = (number: number): string[] => [
      shown(number),
      String(number),
      mebibytes(number),
      `2^${Math.log2(number)}`,
    ];
    const absent = Object.entries(limits).filter(([, number]) => !forms(number).some((form) => written.includes(form)));
    expect(absent).toEqual([]);
  });

  test('blob types have the numbers of the page', () => {
    expect([...blobTypes]).toEqual(['data', 'tree', 'chunks', 'layout', 'table', 'links']);
  });

  test('the codecs that there are', () => {
    const { rows } = tableOf(section('Frames and codecs'), 'codec');
    for (const { number, name } of [rawCodec, zstdCodec, tensorReader]) {
      expect(rows.find(([first]) => first === String(number))?.[1]).toBe(`\`${name}\``);
    }
  });
});

describe('the tensor codec', () => {
  const text = section('The tensor codec');

  test('its transforms, their units and streams', () => {
    const { rows } = tableOf(text, 'transform');
    expect(rows.map(([name]) => name)).toEqual(
      [transforms, singles, tokenTransforms, paletteTransforms]
        .flatMap((some) => Object.entries(some))
        .map(([name, number]) => `${number} \`${name}\``),
    );
    for (const [name = '', unit = '', streams = ''] of rows.slice(1)) {
      const transform = numbered(numberOf(name.split(' ')[0] ?? ''));
      expect([name, numberOf(unit)]).toEqual([name, transform?.unit]);
      // F makes streams of 16 and of 4 bytes.
      const widths = [
        ...streams
          .replace(/F\(.*?\)/, '(16) (4)')
          .replaceAll(/H\(.*?\)/g, '')
          .matchAll(/\((\d+)\)/g),
      ];
      expect([name, widths.map(([, width]) => Number(width))]).toEqual([name, transform?.streams]);
    }
  });

  test('its modes, segments, codes and fields', () => {
    const names = Object.entries(modes).map(([name, mode]) =>
      name === 'codedAgain' ? `${mode} coded` : `${mode} ${name}`,
    );
    expect(flat(text)).toContain(`${names.join(', ')} with the lengths`);
    expect(text).toContain(`⌊${shown(segmentBytes)} / unit⌋`);
    expect(text).toContain(`together at most ${shown(mostUnitBytes)}`);
    expect(text).toContain(`at most ${longestCode} bits`);
  });
});

describe('names of fields', () => {
  /** Names in backticks that are such as fields have. */
  const names = (text: string): string[] => codeOf(text).filter((one) => /^[a-z][A-Za-z0-9]*$/.test(one));
  let vectors: Readonly<Record<string, unknown>> = {};
  beforeAll(async () => {
    vectors = { ...(await goldenVectors()) };
  });

  test('of every operation', () => {
    const documented = new Map<string, Set<string>>();
    for (const [ops = '', fields = ''] of tableOf(section('Operations'), 'op').rows) {
      for (const op of names(ops)) documented.set(op, new Set([...(documented.get(op) ?? []), ...names(fields)]));
    }
    // What a head line and a capture hold is told below the table, and once.
    const headLine = new Set(['domain', 'from', 'to', 'bundle', 'tag', 'tagObject', 'line', ...fieldsOf(headLineOf())]);
    const written = new Map<string, Set<string>>();
    for (const operation of sampleOperations) {
      const fields = fieldsOf(operation).filter((name) => name !== 'op' && !(name in parameters));
      const own =
        operation.op === 'advance'
          ? ['heads']
          : fields.filter((name) => operation.op !== 'hold' || !['commit', 'collection'].includes(name));
      written.set(operation.op, new Set([...(written.get(operation.op) ?? []), ...own]));
    }
    expect(sorted(documented.keys())).toEqual(sorted(written.keys()));
    for (const [op, fields] of written)
      expect({ op, fields: sorted(documented.get(op) ?? []) }).toEqual({ op, fields: sorted(fields) });
    const paragraph = /\*Head line\*:[^]*?\. An `advance`/.exec(section('Operations'))?.[0] ?? '';
    expect(
      sorted([...names(paragraph), 'commit']).filter((name) => name !== 'advance' && !sampleFlags.has(name)),
    ).toEqual(sorted(headLine));
  });

  test('of a state', () => {
    const text = /Fields \(`version` 1[^]*?Heads are/.exec(section('State'))?.[0] ?? '';
    const state = JSON.parse(Buffer.from(encodeLogState(sampleState)).toString()) as Record<string, unknown>;
    const told = new Set(names(text));
    expect(Object.keys(state).filter((name) => !told.has(name))).toEqual([]);
    const anywhere = new Set(fieldsOf(state));
    expect([...told].filter((name) => !anywhere.has(name))).toEqual([]);
  });

  test('of the entries of a tree', () => {
    const told = tableOf(section('Trees'), 'field').rows.flatMap(([field = '']) => names(field));
    expect(sorted(told)).toEqual(sorted(sampleEntries.flatMap((entry) => fieldsOf(JSON.parse(entryText(entry))))));
    const types = codeOf(tableOf(section('Trees'), 'field').rows.find(([field]) => field === '`type`')?.[1] ?? '');
    expect(sorted(types)).toEqual(sorted(sampleEntries.map(({ type }) => type)));
  });

  test('of slots, grants, layouts and mbk.json', () => {
    const { slots, grant, layoutCuts, repositoryFile } = vectors as {
      readonly slots: readonly { readonly slot: string }[];
      readonly grant: { readonly grant: string };
      readonly layoutCuts: { readonly layout: string };
      readonly repositoryFile: string;
    };
    const told = tableOf(section('Slots'), 'field').rows.flatMap(([field = '']) => names(field));
    expect(sorted(told)).toEqual(sorted(Object.keys(JSON.parse(slots[0]?.slot ?? '') as object)));
    const grantFields = Object.keys(JSON.parse(grant.grant) as object);
    expect(grantFields.filter((name) => !names(section('Grants')).includes(name))).toEqual([]);
    const layoutFields = fieldsOf(JSON.parse(layoutCuts.layout));
    expect(layoutFields.filter((name) => !section('Trees').includes(`"${name}"`))).toEqual([]);
    expect(sorted([...section('mbk.json').matchAll(/"([a-z]+)":/g)].map(([, name = '']) => name))).toEqual(
      sorted(fieldsOf(JSON.parse(repositoryFile))),
    );
  });

  const sampleFlags = new Set(['unreadable', 'findings']);
  function headLineOf(): unknown {
    const advance = sampleOperations.find(({ op }) => op === 'advance');
    return advance?.op === 'advance' ? advance.heads : undefined;
  }
});

describe('the page itself', () => {
  test('its contents name every section', () => {
    const contents = /Contents: [^]*?\n\n/.exec(page)?.[0] ?? '';
    const named = [...contents.matchAll(/\[([^\]]+)\]\(#/g)].map(([, name = '']) => name);
    const headings = [...page.matchAll(/^(##+) (.+)$/gm)].map(([, level, name = '']) => ({ level, name }));
    // A part of a section may be named; a section must.
    expect(
      headings.filter(({ level, name }) => level === '##' || named.includes(name)).map(({ name }) => name),
    ).toEqual(named);
  });

  test('its tables have as many cells in every row', () => {
    for (const { head, rows } of tablesOf(page)) {
      for (const row of rows) expect({ row, cells: row.length }).toEqual({ row, cells: head.length });
    }
  });

  test('the independent reader is built from no label or magic that the page lacks', () => {
    const reader = readText('test/golden/reader.mjs');
    const used = [...reader.matchAll(/'(mbk[A-Za-z]|mbk\/1 [a-z ]+)'/g)].map(([, text = '']) => text);
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((text) => !page.includes(text))).toEqual([]);
  });
});

/** Names of all fields in a value, at any depth. */
function fieldsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(fieldsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => [name, ...fieldsOf(field)]);
}
