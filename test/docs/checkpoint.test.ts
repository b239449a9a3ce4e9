import { describe, expect, test } from 'vitest';
import { checkpointCodes } from '../../plugins/checkpoint/src/codes.ts';
import { codeOf, filesBelow, readText, tablesOf } from './markdown.ts';

describe('docs/plugins/checkpoint.md', () => {
  const rows = tablesOf(readText('docs/plugins/checkpoint.md'))
    .filter(({ head }) => head[0] === 'code')
    .flatMap(({ rows: each }) => each);

  test('lists every code with its severity, in the order of the table of codes', () => {
    const told = rows.map(([code = '', severity]) => [codeOf(code)[0], severity]);
    expect(told).toEqual(Object.entries(checkpointCodes));
  });

  test('says of each what it means and where the rule comes from', () => {
    expect(rows.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
  });

  test('the sources of the plugin use every code, and no other', () => {
    const sources = filesBelow('plugins/checkpoint/src', (path) => path.endsWith('.ts') && !path.endsWith('/codes.ts'));
    const text = sources.map(readText).join('\n');
    const form = /['`]((?:pickle|zip|torch|safetensors|shards|lora|npy|onnx)\/[a-z0-9-]+)['`]/g;
    const used = [...text.matchAll(form)].map(([, code = '']) => code);
    expect(used.filter((code) => !Object.hasOwn(checkpointCodes, code))).toEqual([]);
    // `malformed('bad-dtype', …)` of the safetensors header gives the second half alone.
    const unused = Object.keys(checkpointCodes).filter((code) => !text.includes(`'${code}'`));
    expect(unused.filter((code) => !text.includes(`malformed('${code.split('/')[1]}'`))).toEqual([]);
  });
});
