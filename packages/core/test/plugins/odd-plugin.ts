/** A plugin of the tests that does what it is told by the first word of a file: `good`, `throws`, `loops`, … */
import type { Folder, JsonObject, Plugin, Reader } from '@mbk/plugin-sdk';

export const oddManifest = {
  apiVersion: 1,
  name: 'odd',
  version: '1.0.0',
  match: [
    { kind: 'model/odd', extensions: ['.odd'] },
    { kind: 'dataset/lines', extensions: ['.lines'], reads: 'stream' },
  ],
  folders: [{ kind: 'dataset/folder', markers: ['MARKER'] }],
  contributes: ['layout', 'inspect', 'validate', 'scan', 'drift', 'diff', 'folder'],
} as const;

async function textOf(reader: Reader): Promise<string> {
  return Buffer.from(await reader.read(0, Math.min(reader.size, 1000))).toString();
}

export function makePlugin({ layouts = 'good' }: { readonly layouts?: string } = {}): Plugin {
  return {
    ...oddManifest,
    async layout(reader) {
      if (layouts === 'loops') for (;;) void reader;
      if (layouts === 'throws') throw new Error('no layout today');
      const length = reader.size - 64;
      if (length < 4) return undefined;
      return { container: 'odd', tensors: [{ name: 'w', dtype: 'F32', shape: [length / 4], offset: 64, length }] };
    },
    async inspect(reader) {
      const text = (await textOf(reader)).split('\n', 1)[0] ?? '';
      return { summary: `odd: ${text.slice(0, 20)}`, facts: { size: reader.size, half: 0.5 } };
    },
    async validate(reader, context) {
      const [word = ''] = (await textOf(reader)).split(/[^a-z-]/, 1);
      switch (word) {
        case 'throws':
          throw new TypeError('cannot read properties of undefined');
        case 'loops':
          for (;;) void word;
        case 'hangs':
          return new Promise(() => undefined);
        case 'exits':
          process.exit(7);
        // eslint-disable-next-line no-fallthrough
        case 'dies':
          setTimeout(() => {
            throw new Error('later');
          });
          return new Promise(() => undefined);
        case 'eats': {
          const eaten: number[][] = [];
          for (;;) {
            await reader.read(0, 1); // it gets on all the time
            eaten.push(Array.from({ length: 1_000_000 }, Math.random));
          }
        }
        case 'rubbish':
          return [{ code: 1, toString: () => word }] as never;
        case 'functions':
          return (() => []) as never;
        case 'past-the-end':
          await reader.read(reader.size, 1);
          return [];
        case 'sibling': {
          const other = await reader.sibling('other.txt');
          const size = other === undefined ? 'none' : `${other.size}`;
          return [{ code: 'odd/sibling', severity: 'info', message: size }];
        }
        case 'escape': {
          const found = await Promise.all(
            ['../../secret.txt', '/../secret.txt', 'link.txt'].map((name) => reader.sibling(name)),
          );
          return found.some((one) => one !== undefined)
            ? [{ code: 'odd/escaped', severity: 'error', message: 'escaped' }]
            : [];
        }
        case 'bad':
          return [{ code: 'odd/bad', severity: 'error', message: 'it is bad', offset: 3 }];
        case 'rows': {
          const spans = [{ offset: 64, length: reader.size - 64, dtype: 'F32' }];
          const [found] = await context.nonFinite(reader, spans);
          const { first, infinite, nan } = found ?? { first: -1, infinite: 0, nan: 0 };
          return [{ code: 'odd/rows', severity: 'info', message: `${nan} ${infinite} ${first}` }];
        }
        default:
          return [];
      }
    },
    async scan(reader) {
      let lines = 0;
      let bytes = 0;
      for await (const piece of reader.stream()) {
        bytes += piece.length;
        for (const byte of piece) if (byte === 0x0a) lines += 1;
        if (bytes === piece.length && Buffer.from(piece.subarray(0, 5)).toString() === 'loops') for (;;) void bytes;
        if (bytes === piece.length && Buffer.from(piece.subarray(0, 6)).toString() === 'enough') break;
      }
      return { inspection: { summary: `${lines} lines`, facts: { lines, bytes } }, findings: [] };
    },
    async drift(before: JsonObject, after: JsonObject) {
      return before['lines'] === after['lines']
        ? []
        : [
            {
              code: 'odd/drift',
              severity: 'warning',
              message: `${Number(before['lines'])} to ${Number(after['lines'])}`,
            },
          ];
    },
    async diff(before, after, context) {
      const [word] = (await textOf(after)).split(/[^a-z-]/, 1);
      if (word === 'throws') throw new TypeError('cannot compare');
      if (word === 'rubbish') return { changes: 'many' } as never;
      const change = { what: 'size', name: 'size', change: 'changed', before: before.size, after: after.size } as const;
      if (before.size !== after.size) return { changes: [change], lines: [`${before.size} to ${after.size}`] };
      // Halves, as two tensors would be: same or not.
      const half = Math.floor(before.size / 2);
      const spans = [
        [0, half],
        [half, before.size - half],
      ] as const;
      const same = await Promise.all(spans.map((span) => context.isSame(before, span, after, span)));
      const changes = same.flatMap((isSame, i) =>
        isSame ? [] : [{ what: 'half', name: String(i), change: 'changed' } as const],
      );
      return { changes, lines: changes.map(({ name }) => `half ${name}`) };
    },
    folder: {
      async inspect(folder) {
        const seen: string[] = [];
        let lines = 0;
        for await (const file of folder.files()) {
          seen.push(file.path);
          lines += Number(file.facts?.['lines'] ?? 0);
        }
        const marker = await folder.open('MARKER');
        return { summary: `${seen.length} files`, facts: { files: seen, lines, marker: marker?.size ?? null } };
      },
      async diff(before, after) {
        const said = async (folder: Folder): Promise<string> => {
          const parts: string[] = [];
          for await (const { facts, kind = '-', path, sha256 } of folder.files()) {
            parts.push(`${path} ${kind} ${Number(facts?.['lines'] ?? -1)} ${sha256.slice(0, 4)}`);
          }
          return parts.join('; ');
        };
        const sides = { before: await said(before), after: await said(after) };
        const changes = [{ what: 'folder', name: after.path, change: 'changed', ...sides } as const];
        return { changes: sides.before === sides.after ? [] : changes, lines: [] };
      },
      async export(folder) {
        let text = '';
        for await (const { path, sha256 } of folder.files()) text += `${sha256}  ${path}\n`;
        return [{ path: text.includes('escape') ? '../SUMS' : 'SUMS', text }];
      },
    },
  };
}
