import { blockOf, scanNonFinite } from '@mbk/plugin-sdk';
import { twinKernels } from '@mbk/kernels';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fastNonFinite } from '../../src/plugins/fast-non-finite.ts';
import { rowCollector, scannedRows } from '../../src/plugins/row-scan.ts';

const dtypes = 'F64 F32 F16 BF16 C64 C128 F8_E4M3 F8_E5M2 F8_E8M0 F8_E4M3FNUZ Q4_0 Q4_1 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q6_K Q8_K IQ1_M IQ4_XS TQ1_0 TQ2_0 MXFP4 NVFP4 I32'; // prettier-ignore

describe('fastNonFinite', () => {
  test('says what the plain scan says, of any bytes', () => {
    const extreme = fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7c, 0x7f, 0x80, 0xfc, 0xff));
    fc.assert(
      fc.property(
        fc.constantFrom(...dtypes.split(' ')),
        fc.array(extreme, { maxLength: 700 }),
        fc.boolean(),
        (dtype, numbers, withKernels) => {
          const bytes = Uint8Array.from(numbers);
          const whole = bytes.subarray(0, bytes.length - (bytes.length % (blockOf(dtype)?.bytes ?? 1)));
          const kernels = withKernels ? twinKernels : undefined;
          expect(fastNonFinite(whole, dtype, undefined, kernels)).toEqual(scanNonFinite(whole, dtype));
        },
      ),
    );
  });
});

describe('a row scan', () => {
  const found = { nan: 0, infinite: 0, first: -1 };

  test('answers for spans that it saw whole, as what they are', () => {
    const rows = rowCollector();
    rows.piece(100, 400, 'F32', found);
    rows.piece(500, 400, 'F32', { nan: 2, infinite: 1, first: 8 });
    rows.zeros(900, 100);
    rows.piece(1000, 200, 'F32', found);
    rows.piece(2000, 64, 'BF16', { nan: 1, infinite: 0, first: 0 });
    const scan = rows.result();
    const ask = (offset: number, length: number, dtype = 'F32') => scannedRows(scan, { offset, length, dtype });
    expect(ask(100, 1100)).toEqual({ nan: 2, infinite: 1, first: 408 });
    expect(ask(100, 400)).toEqual(found);
    expect(ask(2000, 64, 'BF16')).toEqual({ nan: 1, infinite: 0, first: 0 });
    expect(ask(900, 100, 'Q8_0')).toEqual(found);
    expect(ask(100, 1200)).toBeUndefined();
    expect(ask(96, 8)).toBeUndefined();
    expect(ask(500, 400, 'F64')).toBeUndefined();
    expect(scannedRows(scan, { offset: 500, length: 400, dtype: 'F32', byteOrder: 'big' })).toBeUndefined();
    expect(ask(5000, 400, 'I32')).toEqual(found);
  });
});
