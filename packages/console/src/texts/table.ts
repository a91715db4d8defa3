/** A row holds one sentence in every language of the page; `{name}` marks what is filled in. */
export interface Row {
  readonly en: string;
  readonly zh: string;
}

export type TextTable = Readonly<Record<string, Row>>;
