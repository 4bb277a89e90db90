<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>CopyCommand</name>
    <message>
        <source>The command line is copied. Its file is there already, so the command will ask for another name behind -o.</source>
        <translation>命令行已复制。其文件已经存在，因此命令会要求在 -o 后面换一个名称。</translation>
    </message>
    <message>
        <source>The command line is copied.</source>
        <translation>命令行已复制。</translation>
    </message>
    <message>
        <source>Its settings were not kept, so there is no command line for it.</source>
        <translation>其设置没有保存，因此没有对应的命令行。</translation>
    </message>
    <message>
        <source>Write what the video shows.</source>
        <translation>请写下视频要表现的内容。</translation>
    </message>
</context>
<context>
    <name>ExportClips</name>
    <message>
        <source>%1 cannot be read.</source>
        <translation>无法读取 %1。</translation>
    </message>
    <message>
        <source>%1 is not there any more; nothing was copied.</source>
        <translation>%1 已不存在；没有复制任何内容。</translation>
    </message>
    <message>
        <source>The copies take %1, but only %2 are free in %3.</source>
        <translation>副本需要 %1，但 %3 中只剩 %2。</translation>
    </message>
</context>
<context>
    <name>Fields</name>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>What the video shows</source>
        <translation>视频要表现的内容</translation>
    </message>
    <message>
        <source>Not in the clip</source>
        <translation>反向提示词</translation>
    </message>
    <message>
        <source>What the video should not show</source>
        <translation>视频中不应出现的内容</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>The model that makes the clip</source>
        <translation>生成短片所用的模型</translation>
    </message>
    <message>
        <source>First frame</source>
        <translation>首帧</translation>
    </message>
    <message>
        <source>The picture that the clip begins with: a file of yours</source>
        <translation>短片开头的画面：选择您自己的一个文件</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>pixels</source>
        <translation>像素</translation>
    </message>
    <message>
        <source>Width and height of the clip</source>
        <translation>短片的宽度和高度</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>长度</translation>
    </message>
    <message>
        <source>frames</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>How many frames the clip has; most models take a multiple of four and one more</source>
        <translation>短片的帧数；大多数模型要求 4 的倍数加 1</translation>
    </message>
    <message>
        <source>Frame rate</source>
        <translation>帧率</translation>
    </message>
    <message>
        <source>fps</source>
        <translation>帧/秒</translation>
    </message>
    <message>
        <source>Frames that are shown in a second</source>
        <translation>每秒播放的帧数</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步数</translation>
    </message>
    <message>
        <source>Steps of denoising: more take longer and show finer detail</source>
        <translation>去噪步数：步数越多耗时越长，细节越精细</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>引导强度</translation>
    </message>
    <message>
        <source>How strictly the prompt is followed; at 1 there is no guidance</source>
        <translation>遵循提示词的严格程度（CFG）；为 1 时不使用引导</translation>
    </message>
    <message>
        <source>Guidance, second expert</source>
        <translation>引导强度（第二专家）</translation>
    </message>
    <message>
        <source>Guidance of the second expert, of models that have two</source>
        <translation>第二专家的引导强度，用于有两个专家的模型</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Seed of the noise: the same seed gives the same clip</source>
        <translation>噪声的种子：相同的种子得到相同的短片</translation>
    </message>
    <message>
        <source>Prompt length</source>
        <translation>提示词长度</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>词元</translation>
    </message>
    <message>
        <source>How many tokens of the prompt are used</source>
        <translation>使用提示词中的多少个词元</translation>
    </message>
    <message>
        <source>Latent frame rate</source>
        <translation>潜在帧率</translation>
    </message>
    <message>
        <source>How the rate of latent frames is chosen</source>
        <translation>潜在帧率的选取方式</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>注意力</translation>
    </message>
    <message>
        <source>How attention is computed</source>
        <translation>注意力的计算方式</translation>
    </message>
    <message>
        <source>Reuse of steps</source>
        <translation>步骤复用</translation>
    </message>
    <message>
        <source>What is reused between the steps of denoising</source>
        <translation>在去噪步骤之间复用的内容</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Where to compute</source>
        <translation>在哪里计算</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source>Precision of the computation; auto: float32 on the CPU, bfloat16 on a GPU</source>
        <translation>计算精度；auto：CPU 上为 float32，GPU 上为 bfloat16</translation>
    </message>
    <message>
        <source>GPU memory to leave</source>
        <translation>预留显存</translation>
    </message>
    <message>
        <source>Memory of the GPU that is left to other programs</source>
        <translation>留给其他程序的显存</translation>
    </message>
    <message>
        <source>Memory limit</source>
        <translation>内存上限</translation>
    </message>
    <message>
        <source>Memory of the computer that a render may take</source>
        <translation>一次渲染最多可占用的内存</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>标题</translation>
    </message>
    <message>
        <source>Title for the lists and for the file</source>
        <translation>用于列表和文件的标题</translation>
    </message>
    <message>
        <source>Keep latents</source>
        <translation>保留潜变量</translation>
    </message>
    <message>
        <source>Keeps the folder with the finished latents</source>
        <translation>保留存放已完成潜变量的文件夹</translation>
    </message>
    <message>
        <source>Write how it was made</source>
        <translation>写入生成信息</translation>
    </message>
    <message>
        <source>Writes how the clip was made into the file and beside it</source>
        <translation>将短片的生成方式写入文件及其旁边</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>The file that is written</source>
        <translation>要写入的文件</translation>
    </message>
    <message>
        <source>Overwrite</source>
        <translation>覆盖</translation>
    </message>
    <message>
        <source>What happens when the file exists</source>
        <translation>文件已存在时的处理方式</translation>
    </message>
    <message>
        <source>Identifier</source>
        <translation>标识符</translation>
    </message>
    <message>
        <source>Identifier in reports</source>
        <translation>报告中的标识符</translation>
    </message>
    <message>
        <source>a new one</source>
        <translation>新的种子</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>what is free</source>
        <translation>可用的全部</translation>
    </message>
    <message>
        <source>the model&apos;s</source>
        <translation>由模型决定</translation>
    </message>
    <message>
        <source>on</source>
        <translation>开</translation>
    </message>
    <message>
        <source>off</source>
        <translation>关</translation>
    </message>
    <message>
        <source>%1 to %2</source>
        <translation>%1 到 %2</translation>
    </message>
    <message>
        <source>%1 to %2 a side</source>
        <translation>每边 %1 到 %2</translation>
    </message>
    <message>
        <source>0 or more</source>
        <translation>0 或更大</translation>
    </message>
    <message>
        <source>an amount such as 1.5GiB or 800MB</source>
        <translation>一个大小，例如 1.5GiB 或 800MB</translation>
    </message>
</context>
<context>
    <name>Report</name>
    <message>
        <source>yes</source>
        <translation>是</translation>
    </message>
    <message>
        <source>no</source>
        <translation>否</translation>
    </message>
    <message>
        <source>%1 %2</source>
        <comment>a number and its unit</comment>
        <translation>%1 %2</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Phase</source>
        <translation>阶段</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>占比</translation>
    </message>
    <message>
        <source>The render took %1; what its phases took was not kept.</source>
        <translation>渲染用时 %1；各阶段用时没有保存。</translation>
    </message>
    <message>
        <source>How long it took was not kept.</source>
        <translation>用时没有保存。</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1%</translation>
    </message>
    <message>
        <source>Together</source>
        <translation>合计</translation>
    </message>
    <message numerus="yes">
        <source>The job was started %n times; this is the last start alone.</source>
        <translation>
            <numerusform>任务启动了 %n 次；这里只是最后一次。</numerusform>
        </translation>
    </message>
    <message>
        <source>As the clip itself says; a file cannot say how long its own writing took.</source>
        <translation>按短片自身的记录；文件无法记录写入自己所用的时间。</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Setting</source>
        <translation>设置项</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>值</translation>
    </message>
    <message>
        <source>The model&apos;s own</source>
        <translation>模型自带</translation>
    </message>
    <message>
        <source>The settings were not kept, and the clip does not say them.</source>
        <translation>设置没有保存，短片中也没有记录。</translation>
    </message>
    <message>
        <source>open</source>
        <translation>未定</translation>
    </message>
    <message>
        <source>the same</source>
        <translation>相同</translation>
    </message>
    <message>
        <source>The model is not on this machine, so its own settings are not known here.</source>
        <translation>本机没有该模型，因此不知道它自带的设置。</translation>
    </message>
    <message>
        <source>Every setting is the model&apos;s own.</source>
        <translation>所有设置都是模型自带的。</translation>
    </message>
    <message numerus="yes">
        <source>%n setting(s) differ from the model&apos;s own; they come first.</source>
        <translation>
            <numerusform>%n 项设置与模型自带的不同；它们排在最前面。</numerusform>
        </translation>
    </message>
    <message>
        <source>Model and program</source>
        <translation>模型与程序</translation>
    </message>
    <message>
        <source>What</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Which</source>
        <translation>具体</translation>
    </message>
    <message>
        <source>Which model and program made it was not kept.</source>
        <translation>由哪个模型和程序制作没有保存。</translation>
    </message>
    <message>
        <source>%1 (practice model)</source>
        <translation>%1（练习模型）</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Kind of model</source>
        <translation>模型类型</translation>
    </message>
    <message>
        <source>Hash of its weights</source>
        <translation>权重的哈希值</translation>
    </message>
    <message>
        <source>Rubato</source>
        <translation>Rubato</translation>
    </message>
    <message>
        <source>revision %1</source>
        <translation>修订 %1</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>线程</translation>
    </message>
    <message>
        <source>%1, while: %2</source>
        <translation>%1，当时：%2</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>How much</source>
        <translation>多少</translation>
    </message>
    <message>
        <source>How much memory it took was not kept.</source>
        <translation>占用多少内存没有保存。</translation>
    </message>
    <message>
        <source>Most of the GPU&apos;s memory</source>
        <translation>显存峰值</translation>
    </message>
    <message>
        <source>Most of the computer&apos;s memory</source>
        <translation>内存峰值</translation>
    </message>
    <message>
        <source>Kept on the device</source>
        <translation>卸载方式</translation>
    </message>
    <message>
        <source>Memory ran out</source>
        <translation>内存不足</translation>
    </message>
    <message>
        <source>It fitted from the beginning to the end.</source>
        <translation>自始至终都放得下。</translation>
    </message>
    <message>
        <source>Attempts</source>
        <translation>尝试</translation>
    </message>
    <message>
        <source>When or how often</source>
        <translation>时间或次数</translation>
    </message>
    <message>
        <source>The course of this run was not kept; only the clip says how it was made.</source>
        <translation>运行过程没有保存；只有短片自身说明了制作方式。</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>What went wrong</source>
        <translation>出错原因</translation>
    </message>
    <message>
        <source>Queued</source>
        <translation>加入队列</translation>
    </message>
    <message>
        <source>Started the last time</source>
        <translation>最后一次启动</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>启动</translation>
    </message>
    <message>
        <source>Ended</source>
        <translation>结束</translation>
    </message>
    <message>
        <source>Starts</source>
        <translation>启动次数</translation>
    </message>
    <message>
        <source>it was never started</source>
        <translation>从未启动</translation>
    </message>
    <message>
        <source>Engines that died with it</source>
        <translation>随之崩溃的引擎</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Rendered on</source>
        <translation>渲染设备</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>When</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>There were none.</source>
        <translation>没有警告。</translation>
    </message>
    <message>
        <source>Whether there were any was not kept.</source>
        <translation>是否有警告没有保存。</translation>
    </message>
    <message>
        <source>Files and hashes</source>
        <translation>文件与哈希值</translation>
    </message>
    <message>
        <source>The clip is not there any more: it was moved, renamed or deleted.</source>
        <translation>短片已不存在：被移动、改名或删除了。</translation>
    </message>
    <message>
        <source>It left no file.</source>
        <translation>没有留下文件。</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Its SHA-256</source>
        <translation>其 SHA-256</translation>
    </message>
    <message>
        <source>SHA-256 of the frames</source>
        <translation>各帧的 SHA-256</translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) of %1 × %2 pixels</source>
        <translation>
            <numerusform>%n 帧，%1 × %2 像素</numerusform>
        </translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>种子 %1</translation>
    </message>
    <message>
        <source>rendered in %1</source>
        <translation>渲染用时 %1</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
</context>
<context>
    <name>Text</name>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>%1 min</source>
        <translation>%1 分</translation>
    </message>
    <message>
        <source>%1 min %2 s</source>
        <translation>%1 分 %2 秒</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 小时 %2 分</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>约 %1</translation>
    </message>
    <message>
        <source>%1 to %2</source>
        <translation>%1 到 %2</translation>
    </message>
    <message>
        <source>today %1</source>
        <translation>今天 %1</translation>
    </message>
    <message>
        <source>yesterday %1</source>
        <translation>昨天 %1</translation>
    </message>
    <message>
        <source>d MMM yyyy</source>
        <extracomment>How a date is written, by the letters of QDate: 24 Nov 2026</extracomment>
        <translation>yyyy年M月d日</translation>
    </message>
    <message>
        <source>, </source>
        <extracomment>Between the parts of a line: &quot;Rendering, 3 waiting&quot;</extracomment>
        <translation>，</translation>
    </message>
</context>
<context>
    <name>Themes</name>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>High contrast</source>
        <translation>高对比度</translation>
    </message>
</context>
<context>
    <name>Trash</name>
    <message>
        <source>There is no trash for %1 on its file system, so nothing was deleted. Taking the clip out of the library leaves its file alone.</source>
        <translation>%1 所在的文件系统没有回收站，因此没有删除任何内容。将短片移出素材库不会动它的文件。</translation>
    </message>
    <message>
        <source>There is no trash for %1 on its file system, and what was moved already lies in %2.</source>
        <translation>%1 所在的文件系统没有回收站；已移走的内容在 %2 中。</translation>
    </message>
    <message>
        <source>%1 is not in the trash any more, so it cannot be brought back.</source>
        <translation>%1 已不在回收站中，因此无法恢复。</translation>
    </message>
</context>
<context>
    <name>Workspaces</name>
    <message>
        <source>Video</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>队列</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>素材库</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>System</source>
        <translation>系统</translation>
    </message>
</context>
<context>
    <name>rubato::ui::CommandPalette</name>
    <message>
        <source>Commands</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>What do you want to do?</source>
        <translation>您想做什么？</translation>
    </message>
    <message>
        <source>Search commands</source>
        <translation>搜索命令</translation>
    </message>
    <message>
        <source>Matching commands</source>
        <translation>匹配的命令</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Commands</name>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>编辑(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Create</source>
        <translation>创作(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Play</source>
        <translation>播放(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Queue</source>
        <translation>队列(&amp;Q)</translation>
    </message>
    <message>
        <source>&amp;Library</source>
        <translation>素材库(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Models</source>
        <translation>模型(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Go</source>
        <translation>转到(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>%1 belongs to “%2”; change that first, or choose another.</source>
        <translation>%1 已分配给“%2”；请先更改它，或另选一个。</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ComparePicture</name>
    <message>
        <source>Edge between the two clips</source>
        <translation>两个短片之间的分界</translation>
    </message>
    <message>
        <source>A</source>
        <translation>A</translation>
    </message>
    <message>
        <source>B</source>
        <translation>B</translation>
    </message>
    <message>
        <source>Difference, 4 times</source>
        <translation>差异，放大 4 倍</translation>
    </message>
</context>
<context>
    <name>rubato::ui::CompareView</name>
    <message>
        <source>Wipe</source>
        <translation>划像</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>并排</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>差异</translation>
    </message>
    <message>
        <source>Back to the library</source>
        <translation>返回素材库</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>Use the settings of A</source>
        <translation>使用 A 的设置</translation>
    </message>
    <message>
        <source>Use the settings of B</source>
        <translation>使用 B 的设置</translation>
    </message>
    <message>
        <source>Play both or pause</source>
        <translation>同时播放或暂停</translation>
    </message>
    <message>
        <source>Swap A and B</source>
        <translation>交换 A 和 B</translation>
    </message>
    <message>
        <source>Both one frame back</source>
        <translation>同时后退一帧</translation>
    </message>
    <message>
        <source>Both one frame on</source>
        <translation>同时前进一帧</translation>
    </message>
    <message>
        <source>frame %1 of %2</source>
        <translation>第 %1 帧，共 %2 帧</translation>
    </message>
    <message>
        <source>Loading…</source>
        <translation>正在加载…</translation>
    </message>
    <message>
        <source>The clips differ in size, so their frames have no distance.</source>
        <translation>两个短片的尺寸不同，无法计算帧间差距。</translation>
    </message>
    <message>
        <source>This frame is the same in both, pixel for pixel.</source>
        <translation>这一帧在两个短片中逐像素相同。</translation>
    </message>
    <message>
        <source>This frame: PSNR %L1 dB</source>
        <translation>这一帧：PSNR %L1 dB</translation>
    </message>
</context>
<context>
    <name>rubato::ui::DoctorView</name>
    <message>
        <source>in order</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>note</source>
        <translation>提示</translation>
    </message>
    <message>
        <source>look at this</source>
        <translation>需要留意</translation>
    </message>
    <message>
        <source>needs mending</source>
        <translation>需要修复</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>版本</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>引擎</translation>
    </message>
    <message>
        <source>Isolation</source>
        <translation>隔离</translation>
    </message>
    <message>
        <source>GPU</source>
        <translation>GPU</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>处理器</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>磁盘</translation>
    </message>
    <message>
        <source>Media</source>
        <translation>媒体</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>User folders</source>
        <translation>用户文件夹</translation>
    </message>
    <message>
        <source>Practice model</source>
        <translation>练习模型</translation>
    </message>
    <message>
        <source>Check again</source>
        <translation>重新检查</translation>
    </message>
    <message>
        <source>Is everything here that a render needs?</source>
        <translation>渲染所需的一切都齐备吗？</translation>
    </message>
    <message>
        <source>Copy the report</source>
        <translation>复制报告</translation>
    </message>
    <message>
        <source>Findings</source>
        <translation>检查结果</translation>
    </message>
    <message>
        <source>The check cannot run: rubato-cli is not beside this program.</source>
        <translation>无法检查：rubato-cli 不在本程序旁边。</translation>
    </message>
    <message>
        <source>Looking at this machine; the engine is started for it, which takes some seconds…</source>
        <translation>正在检查本机；需要启动引擎，请稍候几秒…</translation>
    </message>
    <message>
        <source>The check gave no answer; run rubato-cli doctor in a terminal.</source>
        <translation>检查没有返回结果；请在终端中运行 rubato-cli doctor。</translation>
    </message>
    <message>
        <source>Everything is in order.</source>
        <translation>一切正常。</translation>
    </message>
    <message numerus="yes">
        <source>%n thing(s) to look at.</source>
        <translation>
            <numerusform>有 %n 项需要留意。</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::DraftCheck</name>
    <message>
        <source>Write what the video shows.</source>
        <translation>请写下视频要表现的内容。</translation>
    </message>
</context>
<context>
    <name>rubato::ui::FieldEditor</name>
    <message>
        <source>random</source>
        <translation>随机</translation>
    </message>
    <message>
        <source>Draw a seed and keep it</source>
        <translation>抽取一个种子并保留</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Choose a file</source>
        <translation>选择文件</translation>
    </message>
    <message>
        <source>Choose a picture</source>
        <translation>选择图片</translation>
    </message>
    <message>
        <source>Pictures (*.png *.jpg *.jpeg *.webp);;All files (*)</source>
        <translation>图片 (*.png *.jpg *.jpeg *.webp);;所有文件 (*)</translation>
    </message>
    <message>
        <source>the model&apos;s</source>
        <translation>由模型决定</translation>
    </message>
</context>
<context>
    <name>rubato::ui::FilterBar</name>
    <message>
        <source>Search prompts, tags, models, seeds, file names</source>
        <translation>搜索提示词、标签、模型、种子、文件名</translation>
    </message>
    <message>
        <source>Search the library</source>
        <translation>搜索素材库</translation>
    </message>
    <message>
        <source>Only clips with a star</source>
        <translation>只看带星标的短片</translation>
    </message>
    <message>
        <source>Show all clips</source>
        <translation>显示所有短片</translation>
    </message>
    <message>
        <source>All models</source>
        <translation>所有模型</translation>
    </message>
    <message>
        <source>All tags</source>
        <translation>所有标签</translation>
    </message>
    <message>
        <source>Any day</source>
        <translation>任何日期</translation>
    </message>
    <message>
        <source>All sizes</source>
        <translation>所有尺寸</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Tag</source>
        <translation>标签</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>制作日期</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>The last 7 days</source>
        <translation>最近 7 天</translation>
    </message>
    <message>
        <source>The last 30 days</source>
        <translation>最近 30 天</translation>
    </message>
</context>
<context>
    <name>rubato::ui::FirstRun</name>
    <message>
        <source>Welcome to Rubato</source>
        <translation>欢迎使用 Rubato</translation>
    </message>
    <message>
        <source>Clips from a sentence, made on this machine. Nothing is downloaded or sent anywhere.</source>
        <translation>用一句话生成短片，全部在本机完成。不下载，也不向外发送任何内容。</translation>
    </message>
    <message>
        <source>Try it with the practice model</source>
        <translation>用练习模型试一试</translation>
    </message>
    <message>
        <source>A small model that came with Rubato: shapes and simple motions, on any machine, in seconds.</source>
        <translation>Rubato 自带的小模型：形状和简单运动，任何机器上几秒即可完成。</translation>
    </message>
    <message>
        <source>I have models: choose their folder</source>
        <translation>我有模型：选择所在文件夹</translation>
    </message>
    <message>
        <source>Wan 2.1 and 2.2 checkpoints, as a hub cache or in folders. They are read where they lie.</source>
        <translation>Wan 2.1 和 2.2 的检查点，可以是 hub 缓存或文件夹。在原处读取，不会移动。</translation>
    </message>
    <message>
        <source>Just look around</source>
        <translation>随便看看</translation>
    </message>
    <message>
        <source>You can come back to this page from the Help menu.</source>
        <translation>可以从“帮助”菜单回到此页。</translation>
    </message>
</context>
<context>
    <name>rubato::ui::LibraryModel</name>
    <message>
        <source>take “%1” out of the library</source>
        <translation>将“%1”移出素材库</translation>
    </message>
    <message numerus="yes">
        <source>%Ln frame(s)</source>
        <translation>
            <numerusform>%Ln 帧</numerusform>
        </translation>
    </message>
    <message>
        <source>starred</source>
        <translation>已加星标</translation>
    </message>
    <message numerus="yes">
        <source>tags of %n clip(s)</source>
        <translation>
            <numerusform>%n 个短片的标签</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move %n clip(s) to the trash</source>
        <translation>
            <numerusform>将 %n 个短片移到回收站</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 is not there any more; take the clip out of the library instead.</source>
        <translation>%1 已不存在；请改为将短片移出素材库。</translation>
    </message>
    <message>
        <source>%1 × %2</source>
        <translation>%1 × %2</translation>
    </message>
</context>
<context>
    <name>rubato::ui::LibraryView</name>
    <message>
        <source>No clips yet</source>
        <translation>还没有短片</translation>
    </message>
    <message>
        <source>Every clip that is rendered here appears in the library, with all of its settings.</source>
        <translation>在此渲染的每个短片都会连同全部设置出现在素材库中。</translation>
    </message>
    <message>
        <source>Write a clip</source>
        <translation>写一个短片</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>没有找到</translation>
    </message>
    <message>
        <source>Show all clips</source>
        <translation>显示所有短片</translation>
    </message>
    <message>
        <source>Search the library</source>
        <translation>搜索素材库</translation>
    </message>
    <message>
        <source>Clip</source>
        <translation>短片</translation>
    </message>
    <message>
        <source>Clips</source>
        <translation>短片</translation>
    </message>
    <message>
        <source>Show on the stage</source>
        <translation>在舞台上显示</translation>
    </message>
    <message>
        <source>Use its settings</source>
        <translation>使用其设置</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>加星标</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>验证</translation>
    </message>
    <message>
        <source>Compare two clips</source>
        <translation>比较两个短片</translation>
    </message>
    <message>
        <source>Open its folder</source>
        <translation>打开所在文件夹</translation>
    </message>
    <message>
        <source>Copy the path</source>
        <translation>复制路径</translation>
    </message>
    <message>
        <source>Take out of the library</source>
        <translation>移出素材库</translation>
    </message>
    <message>
        <source>Taken out of the library; the file stays. Undo brings it back.</source>
        <translation>已移出素材库；文件仍在。撤销可恢复。</translation>
    </message>
    <message>
        <source>Choose two clips to compare: click one, then the other with Ctrl.</source>
        <translation>请选择两个要比较的短片：单击一个，再按住 Ctrl 单击另一个。</translation>
    </message>
    <message>
        <source>No clip is chosen.</source>
        <translation>未选择短片。</translation>
    </message>
    <message>
        <source>%1 × %2 pixels</source>
        <translation>%1 × %2 像素</translation>
    </message>
    <message numerus="yes">
        <source>%Ln frame(s) at %1 fps</source>
        <translation>
            <numerusform>%Ln 帧，%1 帧/秒</numerusform>
        </translation>
    </message>
    <message>
        <source>Seed %1</source>
        <translation>种子 %1</translation>
    </message>
    <message>
        <source>Model %1</source>
        <translation>模型 %1</translation>
    </message>
    <message>
        <source>rendered in %1</source>
        <translation>渲染用时 %1</translation>
    </message>
    <message>
        <source>Take the star away</source>
        <translation>取消星标</translation>
    </message>
    <message>
        <source>No clip has all that is looked for.</source>
        <translation>没有短片符合所有条件。</translation>
    </message>
    <message>
        <source>Run report</source>
        <translation>运行报告</translation>
    </message>
    <message>
        <source>Copy as command line</source>
        <translation>复制为命令行</translation>
    </message>
    <message>
        <source>Go to what differs</source>
        <translation>转到不同之处</translation>
    </message>
    <message>
        <source>Edit the tags</source>
        <translation>编辑标签</translation>
    </message>
    <message>
        <source>Copy into a folder…</source>
        <translation>复制到文件夹…</translation>
    </message>
    <message>
        <source>Move to the trash</source>
        <translation>移到回收站</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message numerus="yes">
        <source>Copy %n clip(s) into</source>
        <translation>
            <numerusform>将 %n 个短片复制到</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Copying %n clip(s)…</source>
        <translation>
            <numerusform>正在复制 %n 个短片…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n clip(s) copied into %1, with all that is known of them.</source>
        <translation>
            <numerusform>已将 %n 个短片连同其全部信息复制到 %1。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n clip(s) moved to the trash. Undo brings them back.</source>
        <translation>
            <numerusform>%n 个短片已移到回收站。撤销即可恢复。</numerusform>
        </translation>
    </message>
    <message>
        <source>What differs</source>
        <translation>不同之处</translation>
    </message>
</context>
<context>
    <name>rubato::ui::MainWindow</name>
    <message numerus="yes">
        <source>Settings of %1: %n change(s)</source>
        <translation>
            <numerusform>%1 的设置：%n 处更改</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>还有 %n 处</numerusform>
        </translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
    <message>
        <source>Undo %1</source>
        <translation>撤销：%1</translation>
    </message>
    <message>
        <source>Redo %1</source>
        <translation>重做：%1</translation>
    </message>
    <message>
        <source>Folder for new clips…</source>
        <translation>新短片的文件夹…</translation>
    </message>
    <message>
        <source>Folder for new clips</source>
        <translation>新短片的文件夹</translation>
    </message>
    <message>
        <source>New clips go to %1.</source>
        <translation>新短片将保存到 %1。</translation>
    </message>
    <message>
        <source>Take the settings of a file…</source>
        <translation>使用某个文件的设置…</translation>
    </message>
    <message>
        <source>A clip, picture or job file made by Rubato</source>
        <translation>Rubato 生成的短片、图片或任务文件</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>Start with empty settings</source>
        <translation>从空白设置开始</translation>
    </message>
    <message>
        <source>empty settings</source>
        <translation>空白设置</translation>
    </message>
    <message>
        <source>Preferences…</source>
        <translation>首选项…</translation>
    </message>
    <message>
        <source>Find a command…</source>
        <translation>查找命令…</translation>
    </message>
    <message>
        <source>Shortcuts…</source>
        <translation>快捷键…</translation>
    </message>
    <message>
        <source>Theme: %1</source>
        <translation>主题：%1</translation>
    </message>
    <message>
        <source>Reset the layout of this page</source>
        <translation>重置此页的布局</translation>
    </message>
    <message>
        <source>What is this?</source>
        <translation>这是什么？</translation>
    </message>
    <message>
        <source>Welcome page</source>
        <translation>欢迎页</translation>
    </message>
    <message>
        <source>Workspaces</source>
        <translation>工作区</translation>
    </message>
    <message>
        <source>Last message</source>
        <translation>最近的消息</translation>
    </message>
    <message numerus="yes">
        <source>%n GPU(s)</source>
        <translation>
            <numerusform>%n 个 GPU</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>CPU, %n core(s)</source>
        <translation>
            <numerusform>CPU，%n 核</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 free</source>
        <translation>可用 %1</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Look at the queue</source>
        <translation>查看队列</translation>
    </message>
    <message>
        <source>Rendering</source>
        <translation>正在渲染</translation>
    </message>
    <message>
        <source>Queue paused</source>
        <translation>队列已暂停</translation>
    </message>
    <message>
        <source>Idle</source>
        <translation>空闲</translation>
    </message>
    <message numerus="yes">
        <source>%Ln waiting</source>
        <translation>
            <numerusform>%Ln 个等待中</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::ModelPicker</name>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Practice video</source>
        <translation>练习视频</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ModelsModel</name>
    <message>
        <source>video, practice</source>
        <translation>视频，练习</translation>
    </message>
    <message>
        <source>video</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Makes</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>位置</translation>
    </message>
    <message>
        <source>missing: %1</source>
        <translation>缺少：%1</translation>
    </message>
    <message>
        <source>complete</source>
        <translation>完整</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>已损坏</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ModelsView</name>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Parts of the chosen model</source>
        <translation>所选模型的组成部分</translation>
    </message>
    <message>
        <source>Rubato reads diffusers folders (with model_index.json and its parts) and Hugging Face hub caches, where they lie, and never changes or downloads them. Weights must be safetensors: a pickle (.pt, .pth, .ckpt, .bin) can run code when it is opened, so it is refused.</source>
        <translation>Rubato 在原处读取 diffusers 文件夹（含 model_index.json 及其各部分）和 Hugging Face hub 缓存，从不修改或下载。权重必须为 safetensors：pickle 文件（.pt、.pth、.ckpt、.bin）打开时可能执行代码，因此会被拒绝。</translation>
    </message>
    <message>
        <source>Add a folder with models…</source>
        <translation>添加模型文件夹…</translation>
    </message>
    <message>
        <source>Look for models again</source>
        <translation>重新查找模型</translation>
    </message>
    <message>
        <source>Folders</source>
        <translation>文件夹</translation>
    </message>
    <message>
        <source>Folders with models</source>
        <translation>模型文件夹</translation>
    </message>
    <message>
        <source>Add a folder…</source>
        <translation>添加文件夹…</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>重新查找</translation>
    </message>
    <message>
        <source>A folder with models</source>
        <translation>一个模型文件夹</translation>
    </message>
    <message>
        <source>Looking for models…</source>
        <translation>正在查找模型…</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) seen, models among them: %L1</source>
        <translation>
            <numerusform>共查看 %Ln 个文件，其中模型：%L1</numerusform>
        </translation>
    </message>
    <message>
        <source>Add the folder of your checkpoints to use them; the practice model is always here.</source>
        <translation>添加您的检查点所在文件夹即可使用；练习模型始终可用。</translation>
    </message>
    <message>
        <source>%1: there, %2</source>
        <translation>%1：已有，%2</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Notice</name>
    <message>
        <source>Close this message</source>
        <translation>关闭此消息</translation>
    </message>
</context>
<context>
    <name>rubato::ui::PhaseBar</name>
    <message>
        <source>%1: %2</source>
        <comment>phase: time</comment>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>Time by phase</source>
        <translation>各阶段用时</translation>
    </message>
</context>
<context>
    <name>rubato::ui::PictureView</name>
    <message>
        <source>Stage</source>
        <translation>舞台</translation>
    </message>
</context>
<context>
    <name>rubato::ui::PreferencesDialog</name>
    <message>
        <source>Preferences</source>
        <translation>首选项</translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation>语言(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>主题(&amp;T)</translation>
    </message>
    <message>
        <source>Sentences about what went wrong inside the engine are still in English.</source>
        <translation>引擎内部出错时的说明目前仍为英文。</translation>
    </message>
    <message>
        <source>&amp;Shortcuts…</source>
        <translation>快捷键(&amp;S)…</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>关闭(&amp;C)</translation>
    </message>
    <message>
        <source>Language of the window</source>
        <translation>窗口语言</translation>
    </message>
    <message>
        <source>Theme of the window</source>
        <translation>窗口主题</translation>
    </message>
    <message>
        <source>As the system has it</source>
        <translation>跟随系统</translation>
    </message>
</context>
<context>
    <name>rubato::ui::PromptPanel</name>
    <message>
        <source>What the video shows, in one sentence or several</source>
        <translation>用一句或几句话描述视频内容</translation>
    </message>
    <message>
        <source>as the model says</source>
        <translation>由模型决定</translation>
    </message>
    <message>
        <source>Prompts to begin with</source>
        <translation>入门提示词</translation>
    </message>
    <message>
        <source>Not in the clip</source>
        <translation>反向提示词</translation>
    </message>
    <message>
        <source>Practice model: shapes, colours and simple motions, written in lower case. It is a toy to try the studio with.</source>
        <translation>练习模型：形状、颜色和简单运动，用小写英文书写。它只是用来试用工作室的玩具。</translation>
    </message>
</context>
<context>
    <name>rubato::ui::QueueModel</name>
    <message>
        <source>Starting the engine</source>
        <translation>正在启动引擎</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>剩余 %1</translation>
    </message>
    <message>
        <source>Job</source>
        <translation>任务</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>Added</source>
        <translation>添加时间</translation>
    </message>
    <message>
        <source>The engine died twice with this job; look at its log before trying again</source>
        <translation>引擎在此任务上崩溃了两次；重试之前请查看其日志</translation>
    </message>
    <message>
        <source>Goes on where it stopped</source>
        <translation>将从中断处继续</translation>
    </message>
    <message>
        <source>Waits for another job</source>
        <translation>等待另一个任务</translation>
    </message>
    <message>
        <source>in %1</source>
        <translation>用时 %1</translation>
    </message>
    <message>
        <source>The queue is paused</source>
        <translation>队列已暂停</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>Rendering</source>
        <translation>渲染中</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>已取消</translation>
    </message>
    <message>
        <source>Interrupted</source>
        <translation>已中断</translation>
    </message>
    <message>
        <source>Needs you</source>
        <translation>需要处理</translation>
    </message>
    <message>
        <source>Waits</source>
        <translation>等待依赖</translation>
    </message>
    <message>
        <source>Loading the model</source>
        <translation>正在加载模型</translation>
    </message>
    <message>
        <source>Reading the prompt</source>
        <translation>正在读取提示词</translation>
    </message>
    <message>
        <source>Denoising</source>
        <translation>去噪</translation>
    </message>
    <message>
        <source>Decoding</source>
        <translation>解码</translation>
    </message>
    <message>
        <source>Writing the file</source>
        <translation>正在写入文件</translation>
    </message>
    <message>
        <source>“Try again” goes on from its last checkpoint</source>
        <translation>“重试”将从最近的检查点继续</translation>
    </message>
</context>
<context>
    <name>rubato::ui::QueueView</name>
    <message>
        <source>The queue is empty</source>
        <translation>队列为空</translation>
    </message>
    <message>
        <source>What you render waits here, survives a crash, and goes on where it stopped.</source>
        <translation>要渲染的内容在此等待，崩溃后也不会丢失，并从中断处继续。</translation>
    </message>
    <message>
        <source>Write a clip</source>
        <translation>写一个短片</translation>
    </message>
    <message>
        <source>Log of the chosen job</source>
        <translation>所选任务的日志</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>上移</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>下移</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>从列表中移除</translation>
    </message>
    <message>
        <source>Remove all that have ended</source>
        <translation>移除所有已结束的任务</translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation>任务</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Paused: what runs ends, nothing new begins.</source>
        <translation>已暂停：正在运行的会完成，不再开始新的任务。</translation>
    </message>
    <message>
        <source>Paused: %1</source>
        <translation>已暂停：%1</translation>
    </message>
    <message numerus="yes">
        <source>%Ln waiting</source>
        <translation>
            <numerusform>%Ln 个等待中</numerusform>
        </translation>
    </message>
    <message>
        <source>Run report</source>
        <translation>运行报告</translation>
    </message>
    <message>
        <source>Copy as command line</source>
        <translation>复制为命令行</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RenderBar</name>
    <message>
        <source>Preview</source>
        <translation>预览</translation>
    </message>
    <message>
        <source>Stop after this step</source>
        <translation>完成此步后停止</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Progress of the render</source>
        <translation>渲染进度</translation>
    </message>
    <message>
        <source>Ends the render when the current step is done; what is done is kept for a retry</source>
        <translation>当前步完成后结束渲染；已完成的部分会保留以便重试</translation>
    </message>
    <message>
        <source>Ends the render at once; it goes on from the last checkpoint when it is tried again</source>
        <translation>立即结束渲染；重试时从最近的检查点继续</translation>
    </message>
    <message>
        <source>Show on the stage what is being rendered</source>
        <translation>在舞台上显示正在渲染的内容</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RenderDesk</name>
    <message>
        <source>One moment: the settings are being checked.</source>
        <translation>请稍候：正在检查设置。</translation>
    </message>
    <message>
        <source>The folder %1 cannot be made: %2.</source>
        <translation>无法创建文件夹 %1：%2。</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RenderModel</name>
    <message>
        <source>Starting the engine</source>
        <translation>正在启动引擎</translation>
    </message>
    <message>
        <source>%1, step %2 of %3</source>
        <translation>%1，第 %2 步，共 %3 步</translation>
    </message>
    <message>
        <source>%1, %2 of %3</source>
        <translation>%1，%2 / %3</translation>
    </message>
    <message>
        <source>Stopping</source>
        <translation>正在停止</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>剩余 %1</translation>
    </message>
    <message>
        <source>%1 so far</source>
        <translation>已用 %1</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RenderPanel</name>
    <message>
        <source>Render</source>
        <translation>渲染</translation>
    </message>
    <message>
        <source>Puts the clip behind what the queue holds already</source>
        <translation>将短片排在队列现有任务之后</translation>
    </message>
    <message>
        <source>Render next</source>
        <translation>下一个渲染</translation>
    </message>
    <message>
        <source>Puts the clip in front of what waits in the queue</source>
        <translation>将短片排在队列等待任务之前</translation>
    </message>
    <message>
        <source>Vary the seed</source>
        <translation>更换种子</translation>
    </message>
    <message>
        <source>Renders the same settings once more with a new seed</source>
        <translation>用新的种子以相同设置再渲染一次</translation>
    </message>
    <message>
        <source>Render with four new seeds</source>
        <translation>用四个新种子渲染</translation>
    </message>
    <message>
        <source>Four jobs that differ by their seed alone</source>
        <translation>四个仅种子不同的任务</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>fits</source>
        <translation>足够</translation>
    </message>
    <message>
        <source>fits, with parts loaded in turn</source>
        <translation>各部分依次加载时足够</translation>
    </message>
    <message>
        <source>may not fit</source>
        <translation>可能不足</translation>
    </message>
    <message>
        <source>Memory: %1</source>
        <translation>内存：%1</translation>
    </message>
    <message>
        <source>Time: not measured here yet</source>
        <translation>时间：尚未在本机测得</translation>
    </message>
    <message>
        <source>Time: about %1, estimated from another size</source>
        <translation>时间：约 %1，由其他尺寸估算</translation>
    </message>
    <message>
        <source>Time: about %1, as measured here</source>
        <translation>时间：约 %1，据本机实测</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ReportDialog</name>
    <message>
        <source>Reading the run…</source>
        <translation>正在读取运行记录…</translation>
    </message>
    <message>
        <source>Copy as JSON</source>
        <translation>复制为 JSON</translation>
    </message>
    <message>
        <source>Save as JSON…</source>
        <translation>另存为 JSON…</translation>
    </message>
    <message>
        <source>Run report</source>
        <translation>运行报告</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>This run is not known any more.</source>
        <translation>此次运行已无记录。</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>保存报告</translation>
    </message>
    <message>
        <source>The report was not saved</source>
        <translation>报告没有保存</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RunCompareView</name>
    <message>
        <source>open</source>
        <translation>未定</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>%1 s (%2 %)</source>
        <translation>%1 秒（%2%）</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Setting</source>
        <translation>设置项</translation>
    </message>
    <message>
        <source>A</source>
        <translation>A</translation>
    </message>
    <message>
        <source>B</source>
        <translation>B</translation>
    </message>
    <message>
        <source>Both runs have the same settings.</source>
        <translation>两次运行的设置相同。</translation>
    </message>
    <message>
        <source>The settings of one of them are not known.</source>
        <translation>其中一个的设置未知。</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Phase</source>
        <translation>阶段</translation>
    </message>
    <message>
        <source>What the phases took is not known of both.</source>
        <translation>并非两者的阶段用时都已知。</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>Together</source>
        <translation>合计</translation>
    </message>
    <message>
        <source>Of what both have</source>
        <translation>两者共有部分</translation>
    </message>
    <message>
        <source>They were rendered on different devices.</source>
        <translation>它们在不同的设备上渲染。</translation>
    </message>
    <message>
        <source>Show what is alike, too</source>
        <translation>也显示相同项</translation>
    </message>
    <message>
        <source>What differs between the two runs</source>
        <translation>两次运行的不同之处</translation>
    </message>
    <message>
        <source>Reading the runs…</source>
        <translation>正在读取运行记录…</translation>
    </message>
    <message numerus="yes">
        <source>%n setting(s) differ.</source>
        <translation>
            <numerusform>%n 项设置不同。</numerusform>
        </translation>
    </message>
    <message>
        <source>Change</source>
        <translation>变化</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RunnerEngine</name>
    <message>
        <source>Rendering has ended: %1. Start Rubato again to go on; the queue is kept.</source>
        <translation>渲染已结束：%1。请重新启动 Rubato 以继续；队列已保留。</translation>
    </message>
</context>
<context>
    <name>rubato::ui::SettingsForm</name>
    <message>
        <source>Takes: %1</source>
        <translation>可取值：%1</translation>
    </message>
    <message>
        <source>By default: %1</source>
        <translation>默认：%1</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>高级</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <comment>setting (unit)</comment>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>Back to the default</source>
        <translation>恢复默认值</translation>
    </message>
    <message>
        <source>Reset %1</source>
        <translation>重置%1</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ShortcutsDialog</name>
    <message>
        <source>Shortcuts</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Search commands or keys</source>
        <translation>搜索命令或按键</translation>
    </message>
    <message>
        <source>Search shortcuts</source>
        <translation>搜索快捷键</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>菜单</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>按键</translation>
    </message>
    <message>
        <source>New shortcut</source>
        <translation>新快捷键</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>As delivered</source>
        <translation>恢复出厂设置</translation>
    </message>
    <message>
        <source>No shortcut</source>
        <translation>无快捷键</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Saved.</source>
        <translation>已保存。</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Stage</name>
    <message>
        <source>Position</source>
        <translation>位置</translation>
    </message>
    <message>
        <source>Play or pause</source>
        <translation>播放或暂停</translation>
    </message>
    <message>
        <source>Backwards, again faster</source>
        <translation>倒放，再按加速</translation>
    </message>
    <message>
        <source>Stand still</source>
        <translation>停住</translation>
    </message>
    <message>
        <source>Forwards, again faster</source>
        <translation>正放，再按加速</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>后退一帧</translation>
    </message>
    <message>
        <source>One frame on</source>
        <translation>前进一帧</translation>
    </message>
    <message>
        <source>Ten frames back</source>
        <translation>后退十帧</translation>
    </message>
    <message>
        <source>Ten frames on</source>
        <translation>前进十帧</translation>
    </message>
    <message>
        <source>To the first frame</source>
        <translation>到第一帧</translation>
    </message>
    <message>
        <source>To the last frame</source>
        <translation>到最后一帧</translation>
    </message>
    <message>
        <source>Mark in</source>
        <translation>设入点</translation>
    </message>
    <message>
        <source>Mark out</source>
        <translation>设出点</translation>
    </message>
    <message>
        <source>Clear in and out</source>
        <translation>清除入点和出点</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>循环</translation>
    </message>
    <message>
        <source>%1×</source>
        <comment>speed</comment>
        <translation>%1×</translation>
    </message>
    <message>
        <source>Second and frame</source>
        <translation>秒与帧</translation>
    </message>
    <message>
        <source>%L1 s · %2/%3</source>
        <translation>%L1 秒 · %2/%3</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Studio</name>
    <message>
        <source>The studio of Rubato: clips from a sentence, on your own machine.</source>
        <translation>Rubato 工作室：在您自己的电脑上，用一句话生成短片。</translation>
    </message>
    <message>
        <source>Keep settings, queue and library in this folder</source>
        <translation>将设置、队列和素材库保存在此文件夹中</translation>
    </message>
    <message>
        <source>A clip made by Rubato, or a job file: take its settings</source>
        <translation>Rubato 生成的短片或任务文件：使用其设置</translation>
    </message>
    <message>
        <source>“%1” was not rendered: %2</source>
        <translation>“%1”未能渲染：%2</translation>
    </message>
    <message>
        <source>Done in %1. The clip is in the library.</source>
        <translation>已完成，用时 %1。短片已在素材库中。</translation>
    </message>
    <message>
        <source>These are the settings already.</source>
        <translation>当前已是这些设置。</translation>
    </message>
    <message>
        <source>settings of %1</source>
        <translation>%1 的设置</translation>
    </message>
    <message>
        <source>open</source>
        <translation>未定</translation>
    </message>
    <message>
        <source>%1: %2 → %3</source>
        <translation>%1：%2 → %3</translation>
    </message>
    <message>
        <source>Stopped. %1</source>
        <translation>已停止。%1</translation>
    </message>
</context>
<context>
    <name>rubato::ui::TagEditor</name>
    <message>
        <source>Tags</source>
        <translation>标签</translation>
    </message>
    <message>
        <source>Words with commas between them; Enter keeps them</source>
        <translation>用逗号分隔的词；按回车键保存</translation>
    </message>
    <message>
        <source>Tags: sea, night</source>
        <translation>标签：海，夜</translation>
    </message>
</context>
<context>
    <name>rubato::ui::TimeStrip</name>
    <message>
        <source>Frame</source>
        <translation>帧</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Verifier</name>
    <message>
        <source>The clip cannot be verified: rubato-cli is not beside this program.</source>
        <translation>无法验证短片：rubato-cli 不在本程序旁边。</translation>
    </message>
    <message>
        <source>One clip is being verified already.</source>
        <translation>已有一个短片正在验证。</translation>
    </message>
    <message>
        <source>Rendering the clip&apos;s job again to compare the frames…</source>
        <translation>正在重新渲染短片的任务以比较各帧…</translation>
    </message>
</context>
<context>
    <name>rubato::ui::VideoDraft</name>
    <message>
        <source>change of %1</source>
        <translation>更改%1</translation>
    </message>
</context>
<context>
    <name>rubato::ui::VideoWorkspace</name>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>No clip yet</source>
        <translation>还没有短片</translation>
    </message>
    <message>
        <source>Write on the left what the video shows, then render it. The preview appears here.</source>
        <translation>在左侧写下视频内容，然后渲染。预览会显示在这里。</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Preview after step %1</source>
        <translation>第 %1 步后的预览</translation>
    </message>
    <message>
        <source>Copy as command line</source>
        <translation>复制为命令行</translation>
    </message>
    <message>
        <source>The line of rubato-cli that renders these settings</source>
        <translation>渲染这些设置的 rubato-cli 命令行</translation>
    </message>
</context>
</TS>
