"""The words and sentence patterns of the synthetic corpus. All written for this benchmark.

A part of a pattern that begins with a capital ASCII letter is a slot: N noun, P plural, V verb with s, W verb, A
adjective, D adverb, C place, T name, G activity, M number. What follows the letter (a comma, a full stop) stays.
"""

from __future__ import annotations

_NOUNS = """harbor lantern bridge engine valley kettle ledger magnet orchard pillow quarry ribbon saddle tunnel umbrella
violin window anchor barrel candle drawer easel feather garden hammer island jacket ladder mirror needle oven paddle
rocket shovel tablet uniform vessel wagon antenna battery compass dynamo elevator filter gauge hinge inverter junction
keyboard lever microphone nozzle oscillator piston radiator sensor turbine valve wrench algorithm budget contract
deadline estimate forecast grammar heuristic index journal kernel lexicon matrix notation operator parser query register
schema template variable workflow bakery cathedral factory gallery hospital library market museum office pharmacy school
station theater warehouse apple barley carrot dumpling eggplant fennel ginger hazelnut lemon mushroom noodle onion
pepper radish sausage tomato walnut badger cricket dolphin eagle falcon gecko heron iguana jackal koala lizard moose
otter pelican rabbit salmon tortoise walrus zebra blizzard canyon delta estuary forest glacier hillside lagoon meadow
oasis prairie reef savanna tundra volcano argument belief custom doubt emotion favour habit insight judgment legend
memory opinion promise question rumour secret theory virtue wisdom cabinet diary envelope folder parcel receipt stamp
ticket voucher carpet chimney curtain fence gutter hallway pantry rooftop staircase terrace"""

_STEMS = """carry measure repair follow gather polish record sketch translate sharpen borrow deliver examine finish
guard handle inspect juggle launch monitor notice observe prepare question rescue sample test untangle verify welcome
adjust balance compare divide estimate forecast group heat illustrate justify label modify number order predict quote
reduce separate trace update validate weigh anchor build clean design explain fold grind hang inflate join knock lift
mend nudge open paint quilt rinse scrub tie unload visit wash approve block confirm defend expect favour grant honour
invite judge lose mention need offer permit recall suggest trust want yield boil chop drain fry grate knead mash peel
roast season slice stir taste whisk combine collect correct count cover cross describe discover doubt draw drop earn
enter escape"""

_ADJECTIVES = """amber brittle crooked damp elastic faint gentle hollow idle jagged keen loose muddy narrow oval pale
quiet rough smooth tight uneven vivid warm young ancient blunt coarse dense empty fragile glossy heavy icy jolly loyal
modest noisy odd plain rapid sharp tender urgent vast weary absurd bold candid diligent earnest frugal generous humble
immense joint late mellow neutral ordinary patient reliable sincere timid useful vague wooden cheap costly digital
electric formal global hidden internal local manual nominal optical portable random serial thermal unique virtual
wireless"""

_ADVERBS = """slowly rarely often carefully quickly badly gladly almost barely clearly evenly firmly hardly indeed
mostly nearly openly partly quietly roughly safely silently suddenly twice usually warmly again already apart away early
elsewhere finally inside later maybe never outside perhaps seldom sometimes soon still together tomorrow upstairs"""

_PLACES = """Arden Belmore Corvale Dunwick Elmstead Farrow Glenmoor Hartsea Ivydale Jasperton Kelby Larkhill Marwen
Northam Orrin Penfold Quenby Ravensea Stoweld Tarnford Ulverby Velmont Westerby Yarrow Zellin Ashcombe Brindle Calder
Dovefield Eastmere Foxley Greyport Holloway Inverlea"""

_NAMES = """Ada Bruno Celia Dmitri Elena Farid Greta Hugo Ines Jonas Keiko Leon Mira Nadia Oskar Priya Quentin Rosa
Samir Tessa Ugo Vera Wanda Ximena Yusuf Zora Anton Bela Carla Davit Emil Fiona Goran Hana Igor Jana Karim Lotte Marta
Nils Olga Pavel Rita Sven Tomas Ulla Viktor Wim Yara Zeno"""


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh", "o")) else "s")


def _third(verb: str) -> str:
    return _plural(verb)


def _activity(verb: str) -> str:
    return (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb) + "ing"


# compounds widen the vocabulary to a few thousand forms, as technical prose does
_BASE = _NOUNS.split()
_COMPOUNDS = [first + second for first in _BASE[::3] for second in ("box", "line", "work", "house", "stone")]

ENGLISH: dict[str, list[str]] = {
    "N": _BASE + _COMPOUNDS,
    "P": [_plural(noun) for noun in _BASE + _COMPOUNDS],
    "V": [_third(verb) for verb in _STEMS.split()],
    "W": _STEMS.split(),
    "A": _ADJECTIVES.split(),
    "D": _ADVERBS.split(),
    "C": _PLACES.split(),
    "T": _NAMES.split(),
    "G": [_activity(verb) for verb in _STEMS.split()],
}

ENGLISH_QUESTIONS = """How does the A N W the N in C?
Why do A P W D after M days?
Should T W a A N or W P?
Can you explain how T V the N and the P?
Write a note about G the A N of C.
Who should W the P of C, and when will the N W?
Compare a A N with a A N for G.
T has M P and M P. How many can T W?
List M reasons why A P W the N.
Put the A P of T into words that a N V.
Did T say D that the A N near C V?
Is it safe to W a A N while G P?
Plan how M A P W before the N V.
Describe the A N that T V D in C.
Which P W first, the A or the A?
My A N never V the P. Why?
When T V, does the N of C W P?
A N or A P: what V D?
Name a N that V M A P.
G P D, T V a A N. What next?
Draft a A letter to T: the N V no P.
If P W in C, will A P W too?
Explain G to T with a A N.
Where do A P W when the N V D?""".splitlines()

ENGLISH_SHORT = """D, with a A N.
M P and a N.
the A N in C.
W it D, then G.
only T V P.
because the N V A P.
it is A.""".splitlines()

ENGLISH_PATTERNS = """the A N V the N D.
in C, T V M P and then V a N.
a N of this kind is A, because the P W it D.
you can W the P by G the N first.
G a N takes M minutes when the N is A.
T and T W the A P every morning.
if the N V, W it D and W the P again.
most P are A, but the N in C is not.
there were M P left, so T had to W D.
first W the N, then W the A P, and D W the rest.
nobody in C V a N without G it.
the result is M, since M P share one N.
it is often A to W P that way.
a A N V when its N is A or A.
D, the N that T V turns A.
one of the P in the N was A.
we W the N at the end of the N.
according to T, G P is D A.
the A P of C W less than M P.
as soon as the N is A, the P W.
some people W P; others W a N.
keep the N away from A P.
after G for M hours, T V the N.
the difference between a N and a N is G.
for example, T V a A N with M P.
that is why the N of C has A P.
both the N and the N W D in A places.
T once V that P never W a N.
without a N, the P of the N W D.
the N costs M and the N costs M.""".splitlines()

_ZH_NOUNS = """码头 灯笼 桥梁 引擎 山谷 水壶 账本 磁铁 果园 枕头 采石场 丝带 马鞍 隧道 雨伞 小提琴 窗户 船锚 木桶 蜡烛
抽屉 画架 羽毛 花园 锤子 岛屿 夹克 梯子 镜子 针线 烤箱 船桨 火箭 铁铲 平板 制服 货车 天线 电池 罗盘 电梯 滤网 仪表 键盘
杠杆 话筒 喷嘴 活塞 散热器 传感器 涡轮 阀门 扳手 算法 预算 合同 期限 估算 预报 语法 索引 日志 内核 词典 矩阵 符号 查询
模式 模板 变量 流程 面包房 教堂 工厂 画廊 医院 图书馆 市场 博物馆 办公室 药店 学校 车站 剧院 仓库 苹果 大麦 胡萝卜 饺子
茄子 生姜 榛子 柠檬 蘑菇 面条 洋葱 辣椒 萝卜 香肠 番茄 核桃 獾 蟋蟀 海豚 老鹰 壁虎 苍鹭 蜥蜴 驼鹿 水獭 鹈鹕 兔子 三文鱼
乌龟 海象 斑马 暴风雪 峡谷 三角洲 河口 森林 冰川 山坡 泻湖 草地 绿洲 草原 礁石 冻土 火山 论点 信念 习俗 疑问 情绪 习惯
见解 判断 传说 记忆 意见 诺言 谣言 秘密 理论 美德 智慧"""
_ZH_VERBS = """搬运 测量 修理 跟随 收集 抛光 记录 勾画 翻译 磨快 借用 递送 检查 完成 守护 处理 观察 准备 质疑 营救 取样
测试 解开 核实 欢迎 调整 平衡 比较 划分 估计 分组 加热 说明 标注 修改 排序 预测 引用 减少 分离 追踪 更新 验证 称重 建造
清洗 设计 解释 折叠 研磨 悬挂 充气 连接 敲打 举起 缝补 打开 油漆 冲洗 擦拭 捆绑 卸下 参观"""
_ZH_ADJECTIVES = """琥珀色的 易碎的 弯曲的 潮湿的 有弹性的 微弱的 温和的 空心的 锋利的 狭窄的 椭圆的 苍白的 安静的
粗糙的 光滑的 鲜艳的 古老的 沉重的 冰冷的 快乐的 忠诚的 谦虚的 吵闹的 普通的 急切的 辽阔的 疲倦的 荒唐的 大胆的 勤奋的
节俭的 慷慨的 可靠的 真诚的 有用的 木制的 便宜的 昂贵的"""

_ZH_ADVERBS = """慢慢地 很少 经常 仔细地 很快 几乎 清楚地 均匀地 牢牢地 大多 公开地 悄悄地 安全地 突然 两次 通常 再次
早已 分别 最后 稍后 也许 从不"""
_ZH_PLACES = "青石镇 柳湾 白云村 东岭 南桥 北港 西塘 金沙洲 石板街 竹溪 桃源 松坡 月牙湖 雁门口 红叶谷 长堤"
_ZH_PEOPLE = "小林 阿青 老周 陈姐 王叔 李医生 张师傅 赵老师 小梅 大山 阿海 秋月 文博 思远 雨桐 子墨"

ZH: dict[str, list[str]] = {
    "N": _ZH_NOUNS.split(),
    "P": _ZH_NOUNS.split(),
    "V": _ZH_VERBS.split(),
    "W": _ZH_VERBS.split(),
    "A": _ZH_ADJECTIVES.split(),
    "D": _ZH_ADVERBS.split(),
    "C": _ZH_PLACES.split(),
    "T": _ZH_PEOPLE.split(),
    "G": _ZH_VERBS.split(),
}

ZH_QUESTIONS = """在 C ， A N 怎样 V N ？
为什么 A P 在 M 天后会 D W ？
T 应该怎么 W 那个 A N ？
请说明 T 如何 V N 和 P 。
写一段关于 G A N 的话。
T 有 M 个 N 和 M 个 P ，一共能 W 多少？
比较 A N 和 A N 的区别。""".splitlines()

ZH_SHORT = """因为 N 是 A 。
A N 可以。
D W P 。
问 T 和 T 。
需要 M 个 N 。""".splitlines()

ZH_PATTERNS = """那个 A N 在 C D V 着 N 。
T 用 M 分钟 V 了 P ，然后 W 了 N 。
如果 N 是 A ，就先 W 它，再 W P 。
大多数 P 都不能 W N ，但 C 的 N 可以。
还剩 M 个 P ，所以 T 只好 D W N 。
先 W N ，再 W A P ，最后 D G 。
据 T 说， G P 对 N 很重要。
没有 N 的时候， P 会 D W 。
N 和 N 的差别在于 G 的方式。
例如， T 在 C V 了一个 A N 。
这就是 C 的 N 需要 W 的原因。
T 从来没有 W 过 A P 。
每个 N 需要 M 个 P 来 W 。""".splitlines()
