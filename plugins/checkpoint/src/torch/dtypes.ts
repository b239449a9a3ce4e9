/** Canonical dtypes of PyTorch's storage classes (torch/storage.py) and of its dtype names. */

import type { Dtype } from '@mbk/plugin-sdk';

const byStorageClass: Readonly<Record<string, Dtype>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
  ComplexFloatStorage: 'C64',
  ComplexDoubleStorage: 'C128',
  QInt8Storage: 'I8',
  QUInt8Storage: 'U8',
  QInt32Storage: 'I32',
};

const byName: Readonly<Record<string, Dtype>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
  complex64: 'C64',
  complex128: 'C128',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fnuz: 'F8_E4M3FNUZ',
  float8_e5m2fnuz: 'F8_E5M2FNUZ',
  float8_e8m0fnu: 'F8_E8M0',
};

/** The dtype of a storage class without its module; undefined for an untyped or unknown one. */
export function dtypeOfStorage(className: string): Dtype | undefined {
  return Object.hasOwn(byStorageClass, className) ? byStorageClass[className] : undefined;
}

/** The dtype of a name under `torch.`; undefined for one that has no canonical name. */
export function dtypeOfName(name: string): Dtype | undefined {
  return Object.hasOwn(byName, name) ? byName[name] : undefined;
}
