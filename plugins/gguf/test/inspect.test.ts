import { checkInspection, type Inspection, memoryReader, plainContext } from '@mbk/plugin-sdk';
import { describe, expect, test } from 'vitest';
import { inspectGguf } from '../src/inspect.ts';
import { ggufFile } from '../../../test/assets/gguf-file.ts';
import { weights } from '../../../test/assets/tensor.ts';
import { text, tinyKeys, tinyModel, u32 } from '../../../test/assets/tiny-gguf.ts';

const inspect = async (bytes: Uint8Array): Promise<Inspection | undefined> =>
  inspectGguf(memoryReader('models/a.gguf', bytes), plainContext({ kind: 'model/gguf' }));

describe('inspectGguf', () => {
  test('tells what a model is', async () => {
    expect(await inspect(tinyModel())).toEqual({
      summary: 'llama Tiny, 4.48K parameters, F16, 128 tokens of context',
      facts: {
        format: 'gguf',
        version: 3,
        byteOrder: 'little',
        alignment: 32,
        architecture: 'llama',
        name: 'Tiny',
        licence: 'mit',
        parameters: 4480,
        quantisation: 'F16',
        contextLength: 128,
        embeddingLength: 64,
        blocks: 1,
        heads: 2,
        keyValueHeads: 1,
        tokenizer: { model: 'llama', tokens: 4 },
        keys: 19,
        tensors: 4,
        tensorBytes: 9216,
        dtypes: { F16: 2, F32: 2 },
      },
    });
  });

  test('tells of vocabularies, adapters and files of a set what they are', async () => {
    const vocabulary = await inspect(ggufFile({ metadata: tinyKeys, tensors: [] }));
    expect(vocabulary?.summary).toBe('llama Tiny, vocabulary of 4 tokens, 128 tokens of context');
    const adapter = ggufFile({
      metadata: {
        'general.architecture': text('llama'),
        'general.type': text('adapter'),
        'adapter.type': text('lora'),
        'adapter.lora.alpha': { type: 'f32', value: 16 },
      },
      tensors: [weights('x.lora_a', { shape: [8, 64], dtype: 'F32', seed: 1 })],
    });
    expect(await inspect(adapter)).toMatchObject({
      summary: 'llama, LoRA adapter, 512 parameters',
      facts: { type: 'adapter', adapter: { type: 'lora', alpha: 16 } },
    });
    const split = tinyModel({
      keys: { 'split.no': { type: 'u16', value: 0 }, 'split.count': { type: 'u16', value: 3 } },
    });
    expect((await inspect(split))?.summary).toMatch(/, file 1 of 3$/);
  });

  test('passes no control character and no long text on', async () => {
    const name = 'a\u001b[31m\nb\u202e\u2028c ' + 'd'.repeat(300);
    const inspection = await inspect(tinyModel({ keys: { 'general.name': text(name), 'general.author': text('\0') } }));
    expect(inspection?.facts['name']).toMatch(/^a \[31m b c d{180,}…$/);
    expect(inspection?.facts['author']).toBe('');
    expect(inspection?.summary.length).toBeLessThanOrEqual(200);
    expect(checkInspection(inspection).ok).toBe(true);
  });

  test('leaves out what has another type or no exact number', async () => {
    const inspection = await inspect(
      tinyModel({
        keys: {
          'general.name': u32(1),
          'llama.context_length': { type: 'u64', value: 2n ** 60n },
          'adapter.type': text('lora'),
          'adapter.lora.alpha': { type: 'f32', value: Number.NaN },
        },
      }),
    );
    expect(inspection?.facts).not.toHaveProperty('name');
    expect(inspection?.facts).not.toHaveProperty('contextLength');
    expect(inspection?.facts['adapter']).toEqual({ type: 'lora' });
  });

  test('has no facts of what is no GGUF file, or breaks off in its header', async () => {
    expect(await inspect(new Uint8Array(100))).toBeUndefined();
    expect(await inspect(tinyModel().subarray(0, 500))).toBeUndefined();
  });
});
