/** What people call the type of a Parquet column. */

const physical = ['boolean', 'int32', 'int64', 'int96', 'float', 'double', 'bytes', 'fixed'];

/** Of ConvertedType, by number, where it says more than the physical type. */
const converted = [
  'string',
  'map',
  'map',
  'list',
  'enum',
  'decimal',
  'date',
  'time',
  'time',
  'timestamp',
  'timestamp',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'int8',
  'int16',
  'int32',
  'int64',
  'json',
  'bson',
  'interval',
];

/** Of LogicalType, by field. An integer's width is in ConvertedType. */
const logical: Readonly<Record<number, string>> = {
  1: 'string',
  4: 'enum',
  5: 'decimal',
  6: 'date',
  7: 'time',
  8: 'timestamp',
  11: 'null',
  12: 'json',
  13: 'bson',
  14: 'uuid',
  15: 'float16',
  16: 'variant',
  17: 'geometry',
  18: 'geography',
};

export function typeNames(element: {
  readonly type: number | undefined;
  readonly typeLength: number;
  readonly converted: number | undefined;
  readonly logical: number | undefined;
}): string {
  const named = logical[element.logical ?? -1] ?? converted[element.converted ?? -1];
  if (named !== undefined) return named;
  const name = physical[element.type ?? -1] ?? `type ${element.type}`;
  return name === 'fixed' ? `fixed[${element.typeLength}]` : name;
}
