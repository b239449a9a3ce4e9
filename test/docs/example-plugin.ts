import { byteCursor, definePlugin, LayoutError, makeLayout, type Plugin } from '@mbk/plugin-sdk';

/** `.npy` files of NumPy: one array behind a short header. */
export const plugin: Plugin = definePlugin({
  apiVersion: 1,
  name: 'npy',
  version: '1.0.0',
  match: [{ kind: 'data/npy', magic: [{ offset: 0, bytes: '934e554d5059' }] }],

  async layout(reader, { signal, limits }) {
    const cursor = byteCursor(reader, { format: 'npy', signal });
    if (cursor.remaining() < 10) return undefined;
    await cursor.need(10);
    cursor.skip(6);
    if (cursor.u16(true) !== 1) return undefined; // version 1.0
    const headerBytes = cursor.u16(true);
    await cursor.need(headerBytes);
    const header = Buffer.from(cursor.take(headerBytes)).toString('latin1');

    const bits = /'descr': '<f(4|8)', 'fortran_order': False/.exec(header)?.[1];
    const shape = /'shape': \(([\d, ]*)\)/.exec(header)?.[1];
    if (bits === undefined || shape === undefined) throw new LayoutError('npy/header', 'this header is not understood');
    const tensor = {
      name: 'array',
      dtype: bits === '4' ? 'F32' : 'F64',
      shape: shape
        .split(',')
        .filter((size) => size.trim() !== '')
        .map(Number),
      offset: cursor.offset(),
      length: reader.size - cursor.offset(),
    };
    return makeLayout('npy', [tensor], reader.size, limits);
  },
});
