import { readFileSync } from 'node:fs';
import { PassageId } from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import { splitDocument } from '../knowledge/passages.ts';
import type { PassageIndex } from '../ports.ts';
import { createMiniSearchIndex } from './minisearch-index.ts';

type Language = 'en' | 'zh';
const files = ['light-and-the-blue-sky', 'the-water-cycle', 'photosynthesis', 'states-of-matter', 'forces-and-motion'] as const;
type File = (typeof files)[number];

const documentId = (file: File) => `0190f5fe-7c00-7a00-8000-00000000000${files.indexOf(file)}`;

function courseIndex(...languages: readonly Language[]): PassageIndex {
  const index = createMiniSearchIndex();
  for (const language of languages) for (const file of files) index.add(course(language, file));
  return index;
}

function course(language: Language, file: File) {
  const text = readFileSync(new URL(`../../../../course/${language}/${file}.md`, import.meta.url), 'utf8');
  const title = /^# (.+)$/m.exec(text)?.[1] ?? '';
  const id = language === 'en' ? documentId(file) : documentId(file).replace('7a00', '7b00');
  return splitDocument({ documentId: id, title, mime: 'text/markdown', text });
}

const questions: Readonly<Record<Language, readonly (readonly [File, string])[]>> = {
  en: [
    ['light-and-the-blue-sky', 'Why is the sky blue?'],
    ['light-and-the-blue-sky', 'why do sunsets look red'],
    ['light-and-the-blue-sky', 'What does a prism do to white light?'],
    ['light-and-the-blue-sky', 'Why are clouds white?'],
    ['light-and-the-blue-sky', 'What colour is the sky on the Moon?'],
    ['light-and-the-blue-sky', 'What is Rayleigh scattering?'],
    ['the-water-cycle', 'How does evaporation work?'],
    ['the-water-cycle', 'How do clouds form?'],
    ['the-water-cycle', 'Why is rain not salty?'],
    ['the-water-cycle', 'What is groundwater?'],
    ['the-water-cycle', 'Explain the water cycle to me please'],
    ['photosynthesis', 'What is photosynthesis?'],
    ['photosynthesis', 'Why are leaves green?'],
    ['photosynthesis', 'Where does the oxygen in the air come from?'],
    ['photosynthesis', 'What do plants use glucose for?'],
    ['photosynthesis', 'how do plants make food'],
    ['states-of-matter', 'Why does ice float?'],
    ['states-of-matter', 'At what temperature does water boil on Mount Everest?'],
    ['states-of-matter', 'What are the three states of matter?'],
    ['states-of-matter', 'Why does sweating cool us down?'],
    ['states-of-matter', 'What is density?'],
    ['forces-and-motion', "What is Newton's third law?"],
    ['forces-and-motion', 'What is the difference between mass and weight?'],
    ['forces-and-motion', 'Why do we need friction?'],
    ['forces-and-motion', 'How do you calculate speed?'],
    ['photosynthesis', 'what is photosinthesis'],
    ['light-and-the-blue-sky', 'how come the sky looks blue during the day'],
    ['light-and-the-blue-sky', 'Who discovered that white light can be split into colours?'],
    ['light-and-the-blue-sky', 'What is wavelength?'],
    ['light-and-the-blue-sky', 'why isnt the sky violet'],
    ['the-water-cycle', 'What is transpiration?'],
    ['the-water-cycle', 'what happens to rain after it hits the ground'],
    ['the-water-cycle', 'Difference between fog and cloud?'],
    ['the-water-cycle', "How much of the earth's water can we drink?"],
    ['photosynthesis', 'What does chlorophyll do?'],
    ['photosynthesis', 'Why do trees turn yellow in fall?'],
    ['photosynthesis', 'what are stomata'],
    ['photosynthesis', 'Is a tree made of soil?'],
    ['states-of-matter', 'What is plasma?'],
    ['states-of-matter', 'why do pipes burst in winter'],
    ['states-of-matter', 'What is latent heat?'],
    ['states-of-matter', 'how can a steel ship float'],
    ['forces-and-motion', 'What is inertia?'],
    ['forces-and-motion', 'Would a feather and a hammer fall equally fast?'],
    ['forces-and-motion', 'what is terminal velocity'],
    ['forces-and-motion', 'How heavy would I be on the moon?'],
  ],
  zh: [
    ['light-and-the-blue-sky', '天空为什么是蓝色的？'],
    ['light-and-the-blue-sky', '为什么夕阳是红色的'],
    ['light-and-the-blue-sky', '三棱镜能把白光怎么样？'],
    ['light-and-the-blue-sky', '云为什么是白的'],
    ['light-and-the-blue-sky', '月球上的天空是什么颜色？'],
    ['light-and-the-blue-sky', '什么是瑞利散射？'],
    ['the-water-cycle', '蒸发是怎么回事？'],
    ['the-water-cycle', '云是怎么形成的？'],
    ['the-water-cycle', '为什么雨水不是咸的？'],
    ['the-water-cycle', '什么是地下水'],
    ['the-water-cycle', '请给我讲讲水循环'],
    ['photosynthesis', '什么是光合作用？'],
    ['photosynthesis', '叶子为什么是绿色的？'],
    ['photosynthesis', '空气中的氧气是从哪里来的？'],
    ['photosynthesis', '植物用葡萄糖做什么？'],
    ['photosynthesis', '植物怎样制造食物'],
    ['states-of-matter', '冰为什么能浮在水面上？'],
    ['states-of-matter', '珠穆朗玛峰上水多少度沸腾？'],
    ['states-of-matter', '物质有哪几种状态？'],
    ['states-of-matter', '出汗为什么会凉快？'],
    ['states-of-matter', '密度怎么计算？'],
    ['forces-and-motion', '牛顿第三定律是什么？'],
    ['forces-and-motion', '质量和重力有什么区别？'],
    ['forces-and-motion', '没有摩擦力会怎样？'],
    ['forces-and-motion', '速度怎么算'],
    ['forces-and-motion', '什么是力？'],
    ['light-and-the-blue-sky', '白天的天空怎么看起来是蓝的'],
    ['light-and-the-blue-sky', '谁发现白光可以分成各种颜色？'],
    ['light-and-the-blue-sky', '波长是什么意思'],
    ['light-and-the-blue-sky', '天空为什么不是紫色'],
    ['the-water-cycle', '什么叫蒸腾作用'],
    ['the-water-cycle', '下雨之后水去哪里了'],
    ['the-water-cycle', '雾和云有什么不同？'],
    ['the-water-cycle', '地球上能喝的水有多少'],
    ['photosynthesis', '叶绿素有什么用？'],
    ['photosynthesis', '秋天树叶为什么变黄'],
    ['photosynthesis', '气孔是什么'],
    ['photosynthesis', '树是由泥土变成的吗'],
    ['states-of-matter', '等离子体是什么？'],
    ['states-of-matter', '冬天水管为什么会裂'],
    ['states-of-matter', '什么是潜热'],
    ['states-of-matter', '钢铁轮船为什么能浮起来'],
    ['forces-and-motion', '惯性是什么'],
    ['forces-and-motion', '羽毛和锤子哪个先落地'],
    ['forces-and-motion', '为什么要给链条上油'],
    ['forces-and-motion', '我在月球上有多重'],
  ],
};

const offTopic: Readonly<Record<Language, readonly string[]>> = {
  en: [
    'Who won the football world cup in 2018?',
    'How do I bake a chocolate cake?',
    'Write me a poem about love',
    'What is the capital of France?',
    'Which programming language should I learn first?',
    'Tell me about the French Revolution',
    'What is your favourite song?',
    'How many players are in a basketball team?',
    'Do my maths homework',
    'hello',
    'What is the best phone to buy?',
    'How do I get to the airport?',
    'Can you help me with my essay on Shakespeare?',
    'Who is the president of the United States?',
    'What should I have for dinner tonight?',
    'tell me a joke',
    'How do I invest in stocks?',
    'I am bored',
    'What is quantum entanglement?',
  ],
  zh: [
    '谁赢得了2018年世界杯？',
    '巧克力蛋糕怎么做？',
    '给我写一首情诗',
    '法国的首都是哪里？',
    '我应该先学哪种编程语言？',
    '讲讲法国大革命',
    '你最喜欢的歌是什么？',
    '一支篮球队有几个人？',
    '帮我做数学作业',
    '你好',
    '哪款手机最值得买？',
    '怎么去机场？',
    '帮我写一篇关于鲁迅的作文',
    '美国总统是谁？',
    '今天晚饭吃什么好',
    '给我讲个笑话',
    '长城是什么时候建的？',
    '怎么炒股？',
    '我好无聊',
    '量子纠缠是什么',
  ],
};

describe.each(['en', 'zh'] as const)('the bundled course in %s', (language) => {
  const alone = courseIndex(language);
  const beside = courseIndex('en', 'zh');

  test.each([
    ['alone', alone],
    ['beside the other language', beside],
  ])('%s: finds the right document for at least 9 of 10 questions among five passages, and puts it first for 8 of 10', (_, index) => {
    const ranks = questions[language].map(([file, question]) => {
      const wanted = course(language, file)[0]?.documentId;
      return { question, rank: index.search(question, 5).findIndex((passage) => passage.documentId === wanted) };
    });
    const share = (limit: number) => ranks.filter(({ rank }) => rank >= 0 && rank < limit).length / ranks.length;
    console.log(
      language,
      share(5),
      share(1),
      ranks.filter(({ rank }) => rank !== 0),
    );
    expect(share(5)).toBeGreaterThanOrEqual(0.9);
    expect(share(1)).toBeGreaterThanOrEqual(0.8);
  });

  test.each(offTopic[language])('finds nothing for "%s"', (question) => {
    expect(alone.search(question, 5).map(({ text }) => text)).toEqual([]);
  });
});

describe('an index', () => {
  const question = 'Why is the sky blue?';

  test('forgets a removed document and keeps the others', () => {
    const index = courseIndex('en');
    const before = index.search('What is photosynthesis?', 5);
    const [found] = index.search(question, 1);
    index.removeDocument(documentId('light-and-the-blue-sky'));
    expect(index.search(question, 5).map(({ title }) => title)).not.toContain('Light and the blue sky');
    expect(found && index.passage(found.passageId)).toBeNull();
    expect(index.search('What is photosynthesis?', 5).map(({ passageId }) => passageId)).toEqual(before.map(({ passageId }) => passageId));
    expect(index.titles()).toEqual(['The water cycle', 'Photosynthesis', 'States of matter', 'Forces and motion']);
  });

  test('a document added again replaces itself and changes no answer', () => {
    const index = courseIndex('en');
    const before = index.search(question, 5);
    index.add(course('en', 'light-and-the-blue-sky'));
    expect(index.search(question, 5)).toEqual(before);
    expect(index.passage(before[0]?.passageId ?? PassageId.parse(`${documentId('photosynthesis')}#99`))).toMatchObject({
      title: 'Light and the blue sky',
    });
  });

  test('removing what was never there, and adding nothing, change nothing', () => {
    const index = courseIndex('en');
    index.removeDocument('0190f5fe-7c00-7a00-8000-0000000000ff');
    index.add([]);
    expect(index.titles()).toHaveLength(5);
  });

  test('answers the best first and never more than asked for', () => {
    const scores = courseIndex('en')
      .search('water and light', 3)
      .map(({ score }) => score);
    expect(scores).toHaveLength(3);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  test.each(['', '   ', '???', '的了吗', 'the of and', '😀'])('finds nothing for %j, which asks for nothing', (query) => {
    expect(courseIndex('en', 'zh').search(query, 5)).toEqual([]);
  });

  test('an empty index finds nothing', () => {
    expect(createMiniSearchIndex().search(question, 5)).toEqual([]);
  });
});
