/** The 512 bytes before a member of a tar file: ustar, GNU and the old form. */

export interface TarHeader {
  readonly name: string;
  readonly size: number;
  /** `0` a file, `5` a folder, `x` and `g` pax records, `L` and `K` long names of GNU. */
  readonly type: string;
}

/** The header, or what is wrong with it. */
export function readTarHeader(bytes: Uint8Array): TarHeader | string {
  const written = octal(bytes, 148, 8);
  let sum = 0;
  let signed = 0;
  for (let at = 0; at < 512; at += 1) {
    const byte = at >= 148 && at < 156 ? 0x20 : (bytes[at] ?? 0);
    sum += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  if (written !== sum && written !== signed) return 'its checksum is wrong';
  const size = numberAt(bytes, 124, 12);
  if (size === undefined) return 'its size is no number';
  const flag = bytes[156] ?? 0;
  const type = flag === 0 ? '0' : String.fromCharCode(flag);
  const isUstar = text(bytes, 257, 5) === 'ustar' && bytes[262] === 0;
  const prefix = isUstar ? text(bytes, 345, 155) : '';
  const name = text(bytes, 0, 100);
  const isData = !'123456'.includes(type);
  return { name: prefix === '' ? name : `${prefix}/${name}`, size: isData ? size : 0, type };
}

/** Octal digits, or big-endian with the highest bit set. */
function numberAt(bytes: Uint8Array, start: number, length: number): number | undefined {
  if (((bytes[start] ?? 0) & 0x80) === 0) return octal(bytes, start, length);
  let value = (bytes[start] ?? 0) & 0x7f;
  for (let at = start + 1; at < start + length; at += 1) value = value * 256 + (bytes[at] ?? 0);
  return Number.isSafeInteger(value) ? value : undefined;
}

function octal(bytes: Uint8Array, start: number, length: number): number | undefined {
  const digits = text(bytes, start, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits === '' ? '0' : digits, 8) : undefined;
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const part = bytes.subarray(start, start + length);
  const nul = part.indexOf(0);
  return new TextDecoder().decode(nul < 0 ? part : part.subarray(0, nul));
}
