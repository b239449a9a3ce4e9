/**
 * A map and a list as immutable values: a changed one is made without copying what stays the same.
 *
 * The fold of a log holds 10^5 deleted packs and 10^4 head lines and is replaced with every entry; copying them each
 * time would make opening quadratic.
 */

/** Stands for a key that is no longer there. */
const gone = Symbol('gone');
/** What versions share; made when it is first looked at. */
type Base<K, V> = () => ReadonlyMap<K, V>;
type Changes<K, V> = ReadonlyMap<K, { readonly value: V } | typeof gone>;

/** A layer is merged with the one that lies on it unless it is so many times as large. */
const growth = 4;

/**
 * An immutable map: a large base that versions share, and layers of what differs from it, each much larger than the one
 * above.
 *
 * A lookup asks a few layers, log n of them at most. A change is a new layer, merged with those below that are not much
 * larger: n changes one by one cost O(n·log n).
 */
export class PersistentMap<K, V> {
  readonly #base: Base<K, V>;
  /** Newest first. */
  readonly #layers: ReadonlyArray<Changes<K, V>>;
  /** How many more keys there are than in the base. */
  readonly #more: number;

  private constructor(base: Base<K, V>, layers: ReadonlyArray<Changes<K, V>>, more: number) {
    this.#base = base;
    this.#layers = layers;
    this.#more = more;
  }

  static of<K, V>(rows: Iterable<readonly [K, V]> = []): PersistentMap<K, V> {
    const map = new Map(rows);
    return new PersistentMap(() => map, [], 0);
  }

  /** The map that `fill` fills, once somebody looks at it: few who read a log look at all of its maps. */
  static later<K, V>(fill: (map: Map<K, V>) => void): PersistentMap<K, V> {
    let map: Map<K, V> | undefined;
    const base = (): ReadonlyMap<K, V> => {
      if (map === undefined) fill((map = new Map()));
      return map;
    };
    return new PersistentMap(base, [], 0);
  }

  get size(): number {
    return this.#base().size + this.#more;
  }

  get(key: K): V | undefined {
    for (const layer of this.#layers) {
      const change = layer.get(key);
      if (change !== undefined) return change === gone ? undefined : change.value;
    }
    return this.#base().get(key);
  }

  has(key: K): boolean {
    for (const layer of this.#layers) {
      const change = layer.get(key);
      if (change !== undefined) return change !== gone;
    }
    return this.#base().has(key);
  }

  /** This map with `rows` set. */
  with(rows: Iterable<readonly [K, V]>): PersistentMap<K, V> {
    const changes = new Map<K, { readonly value: V } | typeof gone>();
    let more = this.#more;
    for (const [key, value] of rows) {
      if (!changes.has(key) && !this.has(key)) more += 1;
      changes.set(key, { value });
    }
    return this.#changed(changes, more);
  }

  /** This map without `keys`. */
  without(keys: Iterable<K>): PersistentMap<K, V> {
    const changes = new Map<K, { readonly value: V } | typeof gone>();
    for (const key of keys) if (this.has(key)) changes.set(key, gone);
    return this.#changed(changes, this.#more - changes.size);
  }

  *entries(): Generator<[K, V]> {
    for (const [depth, layer] of this.#layers.entries()) {
      for (const [key, change] of layer) {
        if (change !== gone && !isIn(this.#layers, depth, key)) yield [key, change.value];
      }
    }
    for (const [key, value] of this.#base()) {
      if (!isIn(this.#layers, this.#layers.length, key)) yield [key, value];
    }
  }

  *keys(): Generator<K> {
    for (const [key] of this.entries()) yield key;
  }

  values(): Iterable<V> {
    // As most maps are that were just read: there is nothing to merge.
    return this.#layers.length === 0 ? this.#base().values() : this.#mergedValues();
  }

  *#mergedValues(): Generator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  #changed(changes: Changes<K, V>, more: number): PersistentMap<K, V> {
    if (changes.size === 0) return this;
    let top = changes;
    let merged = 0;
    for (const layer of this.#layers) {
      if (layer.size > growth * top.size) break;
      top = new Map([...layer, ...top]);
      merged += 1;
    }
    const layers = [top, ...this.#layers.slice(merged)];
    const changed = new PersistentMap(this.#base, layers, more);
    return layers.length > 1 || this.#base().size > growth * top.size ? changed : PersistentMap.of(changed.entries());
  }
}

/** Whether one of the first `count` layers says something of `key`. */
function isIn<K>(layers: ReadonlyArray<Changes<K, unknown>>, count: number, key: K): boolean {
  for (let depth = 0; depth < count; depth += 1) if (layers[depth]?.has(key) === true) return true;
  return false;
}

/** Items by their place; an array is one, and so is what makes each item when it is asked for. */
interface Items<T> {
  readonly length: number;
  readonly at: (index: number) => T | undefined;
}

/**
 * An immutable list that grows at its end: a base that versions share, and an array of what came after it, which they
 * share too; each knows how much of it is theirs.
 */
export class PersistentList<T> {
  readonly length: number;
  readonly #base: Items<T>;
  readonly #more: T[];

  private constructor(base: Items<T>, more: T[], length: number) {
    this.#base = base;
    this.#more = more;
    this.length = length;
  }

  static of<T>(items: Iterable<T> = []): PersistentList<T> {
    const array = [...items];
    return new PersistentList({ length: 0, at: () => undefined }, array, array.length);
  }

  /** A list of `length` items, each made anew whenever somebody looks at it: few who read a log look at all of its lines. */
  static later<T>(length: number, at: (index: number) => T): PersistentList<T> {
    return new PersistentList({ length, at }, [], length);
  }

  /** undefined outside of the list. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.length) return undefined;
    return index < this.#base.length ? this.#base.at(index) : this.#more[index - this.#base.length];
  }

  /** This list and `items` behind it. */
  with(items: readonly T[]): PersistentList<T> {
    if (items.length === 0) return this;
    const mine = this.length - this.#base.length;
    // Another version grew the shared array first: this one goes its own way with a copy.
    const array = this.#more.length === mine ? this.#more : this.#more.slice(0, mine);
    for (const item of items) array.push(item);
    return new PersistentList(this.#base, array, this.#base.length + array.length);
  }

  *values(): Generator<T> {
    for (let index = 0; index < this.length; index += 1) yield this.at(index) as T;
  }
}
