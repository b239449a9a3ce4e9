/**
 * Which of up to millions of names occur twice, in 16 to 32 bytes a name, whatever their length. Names are known by 64
 * bits: two that differ can be taken for one by chance once in some ten million files of a million names, or by design.
 */

export interface NameSet {
  /** Whether the name is new; no more than the expected number are remembered. */
  add(name: Uint8Array): boolean;
  /** The same for text, which is not known again as bytes. */
  addText(name: string): boolean;
}

export function nameSet(expected: number): NameSet {
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)));
  const first = new Uint32Array(capacity);
  const second = new Uint32Array(capacity);
  let size = 0;
  /** Zero marks an empty place, so `a` is never zero. */
  const insert = (a: number, b: number): boolean => {
    let at = (a ^ b) & (capacity - 1);
    while (first[at] !== 0) {
      if (first[at] === a && second[at] === b) return false;
      at = (at + 1) & (capacity - 1);
    }
    if (size < expected) {
      first[at] = a;
      second[at] = b;
      size += 1;
    }
    return true;
  };
  return {
    add(name) {
      let a = 0x811c9dc5;
      let b = name.length ^ 0x9e3779b9;
      for (let index = 0; index < name.length; index += 1) {
        const unit = name[index] ?? 0;
        a = Math.imul(a ^ unit, 0x01000193);
        b = Math.imul(b ^ unit, 0x5bd1e995);
        b ^= b >>> 15;
      }
      return insert(mixed(a) || 1, mixed(b));
    },
    addText(name) {
      let a = 0x811c9dc5;
      let b = name.length ^ 0x9e3779b9;
      for (let index = 0; index < name.length; index += 1) {
        const unit = name.charCodeAt(index);
        a = Math.imul(a ^ unit, 0x01000193);
        b = Math.imul(b ^ unit, 0x5bd1e995);
        b ^= b >>> 15;
      }
      return insert(mixed(a) || 1, mixed(b));
    },
  };
}

/** The last step of MurmurHash3, so that the low bits depend on all. */
function mixed(hash: number): number {
  let bits = hash ^ (hash >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
