/**
 * A map and a list as immutable values: a changed one is made without copying what stays the same.
 *
 * The fold of a log holds 10^5 deleted packs and 10^4 head lines and is replaced with every entry; copying them each
 * time would make opening quadratic.
 */

/**
 * An immutable map: a large base that versions share, and what differs from it.
 *
 * A lookup asks two maps. A change copies the differences; once they reach an eighth of the base (and at least 64)
 * they become part of a new base, so n changes one by one cost about O(n·√n) at worst and usually O(n).
 */
export class PersistentMap<K, V> {
  readonly size: number;
  readonly #base: ReadonlyMap<K, V>;
  /** What differs from the base; undefined stands for a key that is gone. */
  readonly #changes: ReadonlyMap<K, { readonly value: V } | undefined>;

  private constructor(
    base: ReadonlyMap<K, V>,
    changes: ReadonlyMap<K, { readonly value: V } | undefined>,
    size: number,
  ) {
    this.#base = base;
    this.#changes = changes;
    this.size = size;
  }

  static of<K, V>(rows: Iterable<readonly [K, V]> = []): PersistentMap<K, V> {
    const base = new Map(rows);
    return new PersistentMap(base, new Map(), base.size);
  }

  get(key: K): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key)?.value : this.#base.get(key);
  }

  has(key: K): boolean {
    return this.#changes.has(key) ? this.#changes.get(key) !== undefined : this.#base.has(key);
  }

  /** This map with `rows` set. */
  with(rows: Iterable<readonly [K, V]>): PersistentMap<K, V> {
    const changes = new Map(this.#changes);
    let size = this.size;
    for (const [key, value] of rows) {
      const present = changes.has(key) ? changes.get(key) !== undefined : this.#base.has(key);
      if (!present) size += 1;
      changes.set(key, { value });
    }
    return this.#changed(changes, size);
  }

  /** This map without `keys`. */
  without(keys: Iterable<K>): PersistentMap<K, V> {
    const changes = new Map(this.#changes);
    let size = this.size;
    for (const key of keys) {
      const present = changes.has(key) ? changes.get(key) !== undefined : this.#base.has(key);
      if (!present) continue;
      size -= 1;
      if (this.#base.has(key)) changes.set(key, undefined);
      else changes.delete(key);
    }
    return this.#changed(changes, size);
  }

  *entries(): Generator<[K, V]> {
    for (const [key, value] of this.#base) if (!this.#changes.has(key)) yield [key, value];
    for (const [key, change] of this.#changes) if (change !== undefined) yield [key, change.value];
  }

  *keys(): Generator<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Generator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  #changed(changes: ReadonlyMap<K, { readonly value: V } | undefined>, size: number): PersistentMap<K, V> {
    if (changes.size < Math.max(64, this.#base.size / 8)) return new PersistentMap(this.#base, changes, size);
    return PersistentMap.of(new PersistentMap(this.#base, changes, size).entries());
  }
}

/** An immutable list that grows at its end; versions share one array and each knows how much of it is theirs. */
export class PersistentList<T> {
  readonly length: number;
  readonly #items: T[];

  private constructor(items: T[], length: number) {
    this.#items = items;
    this.length = length;
  }

  static of<T>(items: Iterable<T> = []): PersistentList<T> {
    const array = [...items];
    return new PersistentList(array, array.length);
  }

  at(index: number): T | undefined {
    return index < this.length ? this.#items[index] : undefined;
  }

  /** This list and `items` behind it. */
  with(items: readonly T[]): PersistentList<T> {
    if (items.length === 0) return this;
    // Another version grew the shared array first: this one goes its own way with a copy.
    const array = this.#items.length === this.length ? this.#items : this.#items.slice(0, this.length);
    for (const item of items) array.push(item);
    return new PersistentList(array, array.length);
  }

  *values(): Generator<T> {
    for (let index = 0; index < this.length; index += 1) yield this.#items[index] as T;
  }
}
