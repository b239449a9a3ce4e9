// An mbk plugin for tokenizer.json files of Hugging Face tokenizers: what one is, and what is wrong with one.
// It needs nothing at run time; @mbk/plugin-sdk is for its tests and types.

const mostBytes = 33_554_432;
const mostFindings = 20;

/** @type {import('@mbk/plugin-sdk').Plugin} */
export const plugin = {
  apiVersion: 1,
  name: 'tokenizer',
  version: '1.0.0',
  description: 'tokenizer.json files of Hugging Face tokenizers',
  match: [{ kind: 'model/tokenizer', globs: ['**/tokenizer.json', 'tokenizer.json'] }],

  async inspect(reader, { signal }) {
    const { value } = await parse(reader, signal);
    const model = recordOf(value?.model);
    if (model === undefined) return undefined;
    const type = typeof model.type === 'string' ? model.type.slice(0, 40) : 'unknown';
    const facts = {
      model: type,
      vocabulary: vocabularyOf(model).length,
      merges: Array.isArray(model.merges) ? model.merges.length : 0,
      addedTokens: Array.isArray(value.added_tokens) ? value.added_tokens.length : 0,
    };
    return { summary: `${type} tokenizer, ${facts.vocabulary} tokens, ${facts.addedTokens} added`, facts };
  },

  async validate(reader, { signal }) {
    const { problem, value } = await parse(reader, signal);
    if (problem !== undefined) return [problem];
    const model = recordOf(value.model);
    if (model === undefined) return [error('model', 'there is no model', '/model')];
    const findings = [...checkIds(model), ...checkMerges(model), ...checkAdded(value.added_tokens, model)];
    return findings.slice(0, mostFindings);
  },
};

/** The document, or what is wrong with it. Sizes are checked before anything is read. */
async function parse(reader, signal) {
  signal.throwIfAborted();
  if (reader.size > mostBytes) return { problem: { ...error('size', `the file has ${reader.size} bytes`), severity: 'warning' } };
  const bytes = reader.size === 0 ? new Uint8Array() : await reader.read(0, reader.size, { signal });
  try {
    const value = recordOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
    return value === undefined ? { problem: error('json', 'the file holds no JSON object') } : { value };
  } catch {
    return { problem: error('json', 'the file is no JSON text') };
  }
}

/** Two tokens with one id: one of them is never produced again when text is decoded. */
function checkIds(model) {
  const byId = new Map();
  const findings = [];
  for (const [token, id] of vocabularyOf(model)) {
    const pointer = `/model/vocab/${pointerPart(token)}`;
    if (!Number.isSafeInteger(id) || id < 0) findings.push(error('id', `${quote(token)} has no whole number as its id`, pointer));
    else if (byId.has(id)) findings.push(error('id-twice', `${quote(token)} and ${quote(byId.get(id))} both have the id ${id}`, pointer));
    else byId.set(id, token);
  }
  return findings;
}

/** A merge makes a token of two: all three are in the vocabulary. */
function checkMerges(model) {
  if (!Array.isArray(model.merges) || recordOf(model.vocab) === undefined) return [];
  return model.merges.flatMap((merge, at) => {
    const pair = Array.isArray(merge) ? merge : typeof merge === 'string' ? merge.split(' ') : [];
    const pointer = `/model/merges/${at}`;
    if (pair.length !== 2 || !pair.every((part) => typeof part === 'string')) return [error('merge', `merge ${at} is no pair`, pointer)];
    const unknown = [...pair, pair.join('')].find((token) => !Object.hasOwn(model.vocab, token));
    return unknown === undefined ? [] : [error('merge-unknown', `merge ${at} needs ${quote(unknown)}, which is no token`, pointer)];
  });
}

/** An added token that the vocabulary has too has the same id there. */
function checkAdded(added, model) {
  if (!Array.isArray(added)) return [];
  const ids = new Map(vocabularyOf(model));
  return added.flatMap((token, at) => {
    const { content, id } = recordOf(token) ?? {};
    const pointer = `/added_tokens/${at}`;
    if (typeof content !== 'string' || !Number.isSafeInteger(id)) return [error('added', `added token ${at} has no content or id`, pointer)];
    if (!ids.has(content) || ids.get(content) === id) return [];
    return [error('added-id', `${quote(content)} has the id ${id}, and ${String(ids.get(content)).slice(0, 40)} in the vocabulary`, pointer)];
  });
}

/** Token and id: of a table (BPE, WordPiece, WordLevel), or of a list of token and score (Unigram). */
function vocabularyOf({ vocab }) {
  if (Array.isArray(vocab)) return vocab.map((row, id) => [String(Array.isArray(row) ? row[0] : row), id]);
  return Object.entries(recordOf(vocab) ?? {});
}

const recordOf = (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined);
const quote = (token) => JSON.stringify(token.slice(0, 80));
const pointerPart = (token) => token.slice(0, 200).replaceAll('~', '~0').replaceAll('/', '~1');
const error = (what, message, pointer) => ({
  code: `tokenizer/${what}`,
  severity: 'error',
  message,
  ...(pointer === undefined ? {} : { pointer }),
});
