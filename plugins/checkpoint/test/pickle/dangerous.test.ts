import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examineFile, type Finding, memoryReader, plainContext } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteWriter } from '../../../../test/assets/byte-writer.ts';
import { pickleBytes, type PickleItem } from '../../../../test/assets/pickle-bytes.ts';
import { weights } from '../../../../test/assets/tensor.ts';
import { torchZipFile, torchZipOf } from '../../../../test/assets/torch-zip-file.ts';
import { zipFile } from '../../../../test/assets/zip-file.ts';
import { plugin } from '../../src/index.ts';

/** What no scanner may make: it would be there if anything below had run. */
const witness = join(mkdtempSync(join(tmpdir(), 'mbk-pickle-')), 'was-run');
const command = `touch ${witness}`;

const latin = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const short = (text: string): string => `\x8c${String.fromCharCode(text.length)}${text}`;
const call = (module: string, name: string, ...args: readonly PickleItem[]): Uint8Array =>
  pickleBytes({ call: { global: [module, name] }, args });
const system = call('os', 'system', command);
const tensors = [weights('w', { shape: [4, 4], dtype: 'F32', seed: 1 })];

const legacyHead = (object: Uint8Array): readonly Uint8Array[] => [
  latin('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.'),
  pickleBytes(1001),
  pickleBytes({ dict: [['little_endian', true]] }),
  object,
  pickleBytes({ list: [] }),
];

async function findingsOf(path: string, bytes: Uint8Array, options = {}): Promise<readonly Finding[]> {
  const context = plainContext({ kind: 'checkpoint/pytorch', options: { unknownGlobals: 'warning', ...options } });
  const { findings } = await examineFile(plugin, memoryReader(path, bytes), context);
  expect(existsSync(witness)).toBe(false);
  return findings;
}

const codesOf = async (path: string, bytes: Uint8Array): Promise<readonly string[]> =>
  (await findingsOf(path, bytes)).map(({ code }) => code);

describe('dangerous pickles are found and never run', () => {
  test('names that lie in a memo of tens of thousands are found, whenever they were put there and taken out', async () => {
    const filler = Array.from({ length: 20_000 }, (_, at) => `${short(`k${at}`)}\x940`).join('');
    const names = `${short('os')}\x940${short('system')}\x940`;
    const place = (at: number): string => `g${at}\n`;
    const run = (first: number): string => `${place(first)}${place(first + 1)}\x93${short('x')}\x85R.`;
    for (const [pickle, first] of [
      [`\x80\x04${names}${filler}`, 0],
      [`\x80\x04${filler}${names}`, 20_000],
    ] as const) {
      const found = await findingsOf('a.pkl', latin(pickle + run(first)));
      expect(found.map(({ code }) => code)).toContain('pickle/dangerous-global');
      expect(found.find(({ code }) => code === 'pickle/dangerous-global')?.message).toContain('"system"');
    }
  });

  const nested = zipFile([{ name: 'archive/data.pkl', data: system }]);
  type Case = readonly [what: string, path: string, bytes: Uint8Array, code?: string];
  const cases: readonly Case[] = [
    ['os.system', 'a.pkl', system],
    ['posix.system in a checkpoint', 'a.pt', torchZipOf(call('posix', 'system', command), [])],
    ['builtins.eval', 'a.pkl', call('builtins', 'eval', '1')],
    ['__builtin__.exec of Python 2', 'a.pkl', call('__builtin__', 'exec', '1')],
    ['subprocess.Popen', 'a.pkl', call('subprocess', 'Popen', { list: ['touch', witness] })],
    ['torch.hub.load', 'a.pkl', call('torch.hub', 'load', 'x/y', 'z')],
    ['torch.load in torch.storage', 'a.pkl', call('torch.storage', '_load_from_bytes', 'x')],
    ['numpy.testing', 'a.pkl', call('numpy.testing._private.utils', 'runstring', 'x', { dict: [] })],
    [
      'a getattr chain',
      'a.pkl',
      pickleBytes({
        call: {
          call: { global: ['builtins', 'getattr'] },
          args: [{ call: { global: ['builtins', '__import__'] }, args: ['os'] }, 'system'],
        },
        args: [command],
      }),
    ],
    [
      'a call of a result',
      'a.pkl',
      pickleBytes({ call: { call: { global: ['some', 'thing'] }, args: [] }, args: [] }),
      'pickle/indirect-call',
    ],
    ['STACK_GLOBAL', 'a.pkl', latin(`\x80\x04${short('os')}${short('system')}\x93${short(command)}\x85R.`)],
    [
      'STACK_GLOBAL from the memo',
      'a.pkl',
      latin(`\x80\x04${short('os')}\x940${short('system')}\x940h\x00h\x01\x93${short(command)}\x85R.`),
    ],
    [
      'STACK_GLOBAL from a place of the memo that changed',
      'a.pkl',
      latin(
        `\x80\x04${short('collections')}q\x050${short('os')}q\x050h\x05${short('system')}\x93${short(command)}\x85R.`,
      ),
    ],
    ['STACK_GLOBAL of doubled strings', 'a.pkl', latin(`\x80\x04${short('os')}2\x930.`)],
    ['STACK_GLOBAL from a tuple', 'a.pkl', latin(`\x80\x04)${short('system')}\x93.`), 'pickle/unresolved-global'],
    [
      'a dotted name',
      'a.pkl',
      latin(`\x80\x04${short('torch.serialization')}${short('os.system')}\x93${short(command)}\x85R.`),
    ],
    [
      'attributes of a harmless class',
      'a.pkl',
      latin(`\x80\x04${short('collections')}${short('OrderedDict.__subclasses__')}\x93)R.`),
    ],
    ['protocol 0', 'a.pkl', latin(`cos\nsystem\n(S'${command}'\ntR.`)],
    ['INST', 'a.pkl', latin(`(S'${command}'\nios\nsystem\n.`)],
    ['OBJ', 'a.pkl', latin(`(cos\nsystem\nS'${command}'\no.`)],
    ['NEWOBJ', 'a.pkl', latin(`\x80\x02csubprocess\nPopen\n(U\x02lst\x81.`)],
    ['NEWOBJ_EX', 'a.pkl', latin(`\x80\x04${short('subprocess')}${short('Popen')}\x93)}\x92.`)],
    ['BUILD behind a call', 'a.pkl', latin(`\x80\x02cos\nsystem\n(U\x02lstR}b.`)],
    ['an extension code', 'a.pkl', latin('\x80\x02\x82\x01)R.'), 'pickle/extension-code'],
    ['a string with escapes', 'a.pkl', latin(`\x80\x04V\\u006fs\n${short('system')}\x93.`)],
    ['what stands before a broken opcode', 'a.pkl', latin(`cos\nsystem\n(S'${command}'\ntR\xff`)],
    ['what stands behind a broken stack', 'a.pkl', latin(`\x80\x020000cos\nsystem\n(S'${command}'\ntR.`)],
    ['what stands behind a missing place of the memo', 'a.pkl', latin(`\x80\x02h\x07cos\nsystem\n(U\x01atR.`)],
    ['a second pickle', 'a.pkl', Buffer.concat([pickleBytes(1), system])],
    ['a second pickle of protocol 0', 'a.pkl', Buffer.concat([pickleBytes(1), latin("cos\nsystem\n(S'x'\ntR.")])],
    ['a second pickle in a member', 'a.pt', torchZipOf(Buffer.concat([pickleBytes(1), system]), [])],
    [
      'a member of another name',
      'a.pt',
      zipFile([
        { name: 'archive/data.pkl', data: pickleBytes(1) },
        { name: 'archive/readme.txt', data: system },
      ]),
    ],
    ['a deflated member', 'a.pt', zipFile([{ name: 'archive/data.pkl', data: system, isDeflated: true }])],
    [
      'a nested zip',
      'a.pt',
      zipFile([
        { name: 'archive/data.pkl', data: pickleBytes(1) },
        { name: 'archive/more.bin', data: nested },
      ]),
    ],
    ['a nested deflated zip', 'a.pt', zipFile([{ name: 'archive/more.zip', data: nested, isDeflated: true }])],
    ['a pickle that is named safetensors', 'a.safetensors', system],
    ['a zip that is named safetensors', 'a.safetensors', torchZipOf(system, [])],
    ['a pickle that is named npy', 'a.npy', system],
    ['a pickle that is named .bin', 'a.bin', system],
    ['a text pickle that is named .pt', 'a.pt', latin(`cos\nsystem\n(S'${command}'\ntR.`)],
    ['legacy torch.save', 'a.pt', Buffer.concat(legacyHead(system))],
    [
      'legacy torch.save, in the system pickle',
      'a.pt',
      Buffer.concat([...legacyHead(pickleBytes(1)).slice(0, 2), system]),
    ],
    ['a number in front of the name', 'a.pt', latin(`I1\n0cos\nsystem\n(S'x'\ntR.`)],
    [
      'a big payload in front',
      'a.pkl',
      byteWriter()
        .bytes([0x80, 4, 0x8e])
        .uint(200_000, 8)
        .bytes(new Uint8Array(200_000))
        .bytes('0', system.subarray(2))
        .finish(),
    ],
    ['objects of NumPy', 'a.npy', npyOf(system)],
    ['objects in .npz', 'a.npz', zipFile([{ name: 'x.npy', data: npyOf(system) }])],
    ['objects in a compressed .npz', 'a.npz', zipFile([{ name: 'x.npy', data: npyOf(system), isDeflated: true }])],
    ['a checkpoint with a pickle in front', 'a.pt', Buffer.concat([system, torchZipFile({ tensors })])],
  ];
  const rows = cases.map(([what, path, bytes, code = 'pickle/dangerous-global']) => ({ what, path, bytes, code }));
  test.each(rows)('$what', async ({ path, bytes, code }) => {
    const found = (await findingsOf(path, bytes)).find((finding) => finding.code === code);
    expect(found).toMatchObject({ code });
    expect(found?.severity).toBe(code === 'pickle/indirect-call' ? 'warning' : 'error');
  });

  test('the finding names module and attribute', async () => {
    const [first] = await findingsOf('a.pkl', system);
    expect(first?.message).toContain('module "os", attribute "system"');
    expect(first).toMatchObject({ offset: 2, severity: 'error' });
  });

  test('what is on no list is a warning, and an error where the user wants it', async () => {
    const unknown = call('my.training', 'Config');
    expect(await findingsOf('a.pkl', unknown)).toMatchObject([{ code: 'pickle/unknown-global', severity: 'warning' }]);
    const strict = await findingsOf('a.pkl', unknown, { unknownGlobals: 'error' });
    expect(strict).toMatchObject([{ code: 'pickle/unknown-global', severity: 'error' }]);
  });

  test('what rebuilds tensors is nothing to tell', async () => {
    expect(await codesOf('a.pt', torchZipFile({ tensors }))).toEqual([]);
  });

  test('any text around a call leaves it found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ maxLength: 40 }), { maxLength: 20 }), fc.nat(), async (texts, at) => {
        const items: PickleItem[] = [...texts];
        items.splice(at % (items.length + 1), 0, { call: { global: ['os', 'system'] }, args: [command] });
        expect(await codesOf('a.pkl', pickleBytes({ list: items }))).toEqual(['pickle/dangerous-global']);
      }),
      { numRuns: 100 },
    );
  });
});

describe('pickles that are not what they should be', () => {
  test.each([
    ['pickle/truncated', latin('\x80\x02X\xff\0\0\0abc')],
    ['pickle/truncated', latin('\x80\x04K')],
    ['pickle/bad-opcode', latin('\x80\x04K\x01\xfe.')],
    ['pickle/bad-protocol', latin('\x80\x03\x80\x09N.')],
    ['pickle/misplaced-protocol', latin('\x80\x02N0\x80\x02N.')],
    ['pickle/bad-frame', latin('\x80\x04\x95\x03\0\0\0\0\0\0\0K\x01M\x01\x01\x86.')],
    ['pickle/bad-stack', latin('\x80\x02.')],
    ['pickle/bad-stack', latin('\x80\x02h\x09.')],
    ['pickle/trailing-bytes', Buffer.concat([pickleBytes(1), new Uint8Array(20)])],
    ['pickle/multiple', Buffer.concat([pickleBytes(1), pickleBytes(2)])],
    ['pickle/unresolved-global', latin(`\x80\x02c${'x'.repeat(70_000)}\ny\n.`)],
  ])('%s', async (code, bytes) => {
    expect(await codesOf('a.pkl', bytes)).toContain(code);
  });

  test('pickle/too-complex: a pile of values costs bounded memory, and what follows is still looked at', async () => {
    const pile = Buffer.concat([latin('\x80\x02('), Buffer.alloc(600_000, 'N'), latin('1cos\nsystem\n(U\x01atR.')]);
    expect(await codesOf('a.pkl', pile)).toEqual(['pickle/dangerous-global', 'pickle/too-complex']);
  });

  test('a million places of the memo are no pile, and a name among them is found', async () => {
    const puts = Buffer.alloc(3_000_000, latin('N\x940'));
    const pickle = [latin(`\x80\x04${short('os')}\x940${short('system')}\x940`), puts, latin('h\x00h\x01\x93)R.')];
    expect(await codesOf('a.pkl', Buffer.concat(pickle))).toEqual(['pickle/dangerous-global']);
  });

  test('two bytes make no pickle of a .bin file, which may hold anything; what it would import does', async () => {
    const chance = Buffer.concat([latin('\x80\x02K\x01\xfe'), Buffer.alloc(1000, 0xfe)]);
    expect(await codesOf('samples.bin', chance)).toEqual([]);
    expect(await codesOf('samples.pt', chance)).toEqual(['pickle/bad-opcode']);
    expect(await codesOf('weights.BIN', latin('\x80\x02cos\nsystem\n(U\x01atR\xfe'))).toContain(
      'pickle/dangerous-global',
    );
    const long = Buffer.concat([latin('\x80\x02'), Buffer.alloc(40, 'N0'), latin('\xfe')]);
    expect(await codesOf('weights.bin', long)).toEqual(['pickle/bad-opcode']);
    // From 0x99 on no byte is an opcode.
    const noOpcode = fc.integer({ min: 0x99, max: 0xff });
    const anything = fc.uint8Array({ maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 5 }), noOpcode, anything, async (protocol, first, rest) => {
        const bytes = Buffer.concat([Uint8Array.of(0x80, protocol, first), rest]);
        expect(await codesOf('samples.bin', bytes)).toEqual([]);
      }),
    );
  });

  test('under another name the name is wrong as well', async () => {
    const bytes = call('my', 'Thing');
    expect(await codesOf('a.pkl', bytes)).toEqual(['pickle/unknown-global']);
    expect(await codesOf('a.npz', bytes)).toEqual(['checkpoint/wrong-extension', 'pickle/unknown-global']);
  });
});

/** An array of one Python object. */
function npyOf(pickle: Uint8Array): Uint8Array {
  const dict = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".padEnd(117) + '\n';
  return byteWriter().bytes([0x93], 'NUMPY', [1, 0]).uint(dict.length, 2).bytes(dict, pickle).finish();
}
