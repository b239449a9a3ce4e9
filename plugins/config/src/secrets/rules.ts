/**
 * What secrets look like. Forms are those that the issuers document; each rule has a word that every match contains, so
 * that a line without it costs one search.
 */

export interface SecretRule {
  /** What it is, for people. */
  readonly name: string;
  /** In lower case. */
  readonly word: string;
  /** The first group, or the whole match, is the secret. */
  readonly pattern: RegExp;
  /** Bits per character that the secret has at least (Shannon); 0 where its form says enough. */
  readonly entropy: number;
}

export const secretRules: readonly SecretRule[] = [
  { name: 'Hugging Face token', word: 'hf_', pattern: /\b(hf_[A-Za-z0-9]{30,40})\b/g, entropy: 2.5 },
  {
    name: 'Hugging Face organisation token',
    word: 'api_org_',
    pattern: /\b(api_org_[A-Za-z0-9]{30,40})\b/g,
    entropy: 2.5,
  },
  { name: 'Anthropic key', word: 'sk-ant-', pattern: /\b(sk-ant-[\w-]{40,140})/g, entropy: 3 },
  { name: 'OpenAI key', word: 'sk-', pattern: /\b(sk-(?!ant-)(?:proj-|svcacct-|admin-)?[\w-]{32,200})/g, entropy: 3.2 },
  { name: 'AWS access key id', word: 'a', pattern: /\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b/g, entropy: 2.5 },
  { name: 'Google API key', word: 'aiza', pattern: /\b(AIza[\w-]{35})\b/g, entropy: 3 },
  { name: 'GitHub token', word: 'gh', pattern: /\b(gh[pousr]_[A-Za-z0-9]{36,255})\b/g, entropy: 2.5 },
  { name: 'GitHub fine-grained token', word: 'github_pat_', pattern: /\b(github_pat_\w{60,255})\b/g, entropy: 2.5 },
  { name: 'GitLab token', word: 'glpat-', pattern: /\b(glpat-[\w-]{20,64})\b/g, entropy: 2.5 },
  { name: 'Slack token', word: 'xox', pattern: /\b(xox[abeoprs]-[A-Za-z0-9-]{10,250})\b/g, entropy: 2.5 },
  {
    name: 'Slack webhook',
    word: 'hooks.slack.com',
    pattern: /(https:\/\/hooks\.slack\.com\/services\/[A-Za-z0-9+/]{30,80})/g,
    entropy: 0,
  },
  { name: 'Replicate token', word: 'r8_', pattern: /\b(r8_[A-Za-z0-9]{37})\b/g, entropy: 2.5 },
  {
    name: 'Weights & Biases key',
    word: 'wandb',
    pattern: /wandb[\w. -]{0,20}["']?\s*[:=]\s*["']?([0-9a-f]{40})\b/gi,
    entropy: 2.5,
  },
  {
    name: 'JSON Web Token',
    word: 'eyj',
    pattern: /\b(eyJ[\w-]{10,1000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000})/g,
    entropy: 3,
  },
  {
    name: 'private key',
    word: 'private key',
    pattern: /(-----BEGIN (?:[A-Z]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)/g,
    entropy: 0,
  },
  {
    name: 'password in a URL',
    word: '://',
    pattern: /\b[a-z][a-z0-9+.-]{1,30}:\/\/[^\s:@/'"]{0,100}:([^\s:@/'"${<]{3,200})@/gi,
    entropy: 0,
  },
];

/**
 * Keys whose value is a secret whatever it looks like. A bare `token` is not among them where a language model's own
 * tokens are meant: `pad_token`, `eos_token`, `max_tokens`.
 */
export const secretKey: RegExp =
  /(?:^|[_.-])(?:password|passwd|passphrase|pwd|secret|(?:secret|private|api|access|auth|account|encryption|signing)[_-]?key|(?:auth|access|api|refresh|bearer|secret|session|hub|hf|github|gitlab|wandb|slack|bot)[_-]?token|client[_-]?secret|credentials?)$/i;

/** Values that stand where a secret will be put, or say where it is. */
export const placeholder: RegExp =
  /^(?:$|\$\{?[\w:-]|\{\{|<.*>$|%\w+%|\*+$|x{3,}|\.{3}|(?:change|replace)[_-]?me|your[_-]|example|dummy|test|none|null|todo|true|false|env:|file:|vault:|secret:|arn:|\/|\.{1,2}\/|~\/)/i;
