/**
 * What `begin` gives for each item, in the order of the items, with at most `ahead` begun and not yet given. What was
 * begun is over when this ends, also when the caller goes away or something failed.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  ahead: () => number,
  begin: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const begun: Promise<Result>[] = [];
  try {
    for (const item of items) {
      const one = begin(item);
      one.catch(() => undefined); // told when its turn comes
      begun.push(one);
      for (let first = begun[0]; first !== undefined && begun.length >= ahead(); first = begun[0]) {
        yield await first;
        void begun.shift();
      }
    }
    for (const one of begun) yield await one;
  } finally {
    await Promise.allSettled(begun);
  }
}
