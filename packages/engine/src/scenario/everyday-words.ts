/*
 * Words that name nobody and nothing: articles, pronouns, auxiliaries, prepositions, conjunctions, question words, courtesies.
 * A closed list on purpose: what is not in it and not in the course does not get into a scenario.
 */

const english =
  'a about above after again against ago all almost alone along already also although always am among an and another any anybody anyone ' +
  'anything are as ask asked asking at away back be became because become been before began begin behind being below besides between both ' +
  'but by bye call called came can cannot come could did different do does doing done down during each either else enough even ever every everything ' +
  'exactly example explain explained false far few find first for from full gave get give given gives go goes going good got had happen ' +
  'happens has have having he hello help hence her here hers hi him his how however i if important in indeed inside instead into is it its ' +
  'itself just keep kind know known large last later least less let like little long look made make makes many may maybe me mean means might ' +
  'mine more most much must my name named need needs neither never next no nobody none nor not nothing now of off often ok okay old on once one only or ' +
  'other others our out outside over own part perhaps please point possible put question quite rather really remember right said same saw say ' +
  'says second see seem seems seen shall she should show since small so some somebody something sometimes soon sorry still such sure take taken ' +
  'tell than thank thanks that the their theirs them themselves then there therefore these they thing things think third this those though three ' +
  'through thus to together too true try turn two type under understand understood until up upon us use used uses using usually very want wanted ' +
  'was way we well went were what whatever when whenever where whether which while who whole whom whose why will with within without wonder ' +
  "word words would wrong yes yet you your yours aren't can't couldn't didn't doesn't don't hadn't hasn't haven't i'd i'll i'm i've isn't it's " +
  "let's shouldn't that's there's they're wasn't we're we've weren't what's who's why's won't wouldn't you're you've";

const chinese =
  '的 了 着 过 地 得 是 不是 不 没 没有 有 在 和 与 或 或者 及 以及 也 都 就 才 只 还 还有 又 再 很 太 更 最 非常 比较 把 被 让 给 对 对于 关于 从 到 向 往 由 用 以 于 ' +
  '因为 所以 因此 如果 那么 虽然 但 但是 可是 不过 而 而且 并 并且 然后 于是 即 即使 ' +
  '我 你 您 他 她 它 我们 你们 他们 她们 它们 自己 大家 这 那 这个 那个 这些 那些 这里 那里 这样 那样 这么 ' +
  '什么 为什么 怎么 怎样 怎么样 如何 哪 哪个 哪些 哪里 哪种 谁 几 多少 多 少 何 为何 吗 呢 吧 啊 呀 嘛 ' +
  '会 能 能够 可以 可能 应该 要 需要 想 想要 愿意 必须 请 请问 谢谢 谢 你好 您好 再见 老师 同学 好 好的 对 错 ' +
  '说 讲 问 问题 回答 告诉 解释 说明 介绍 知道 明白 懂 理解 觉得 认为 看 看到 听 学 学习 做 叫 去 来 出 出来 起来 下 上 里 中 内 外 前 后 之 之后 之前 之间 时 时候 ' +
  '一 一个 一些 一下 一样 一点 第一 第二 个 些 种 次 点 件 样 等 等等 其 其中 其他 别的 另 每 每个 各 某 所有 全部 部分 许多 很多 大 小 现在 已经 正在 刚才 以前 以后 如 例如 比如 像 就是 还是 只是 也就是说 意思 东西 方面 原因 结果 情况';

export const everydayWords: ReadonlySet<string> = new Set([...english.split(' '), ...chinese.split(' ')]);
