<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>Report</name>
    <message numerus="yes">
        <source>The job was started %n times; this is the last start alone.</source>
        <translation>
            <numerusform>The job was started %n time; this is the last start alone.</numerusform>
            <numerusform>The job was started %n times; this is the last start alone.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n setting(s) differ from the model&apos;s own; they come first.</source>
        <translation>
            <numerusform>%n setting differs from the model&apos;s own; it comes first.</numerusform>
            <numerusform>%n settings differ from the model&apos;s own; they come first.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) of %1 × %2 pixels</source>
        <translation>
            <numerusform>%n frame of %1 × %2 pixels</numerusform>
            <numerusform>%n frames of %1 × %2 pixels</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::DoctorView</name>
    <message numerus="yes">
        <source>%n thing(s) to look at.</source>
        <translation>
            <numerusform>%n thing to look at.</numerusform>
            <numerusform>%n things to look at.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::LibraryModel</name>
    <message numerus="yes">
        <source>%Ln frame(s)</source>
        <translation>
            <numerusform>%Ln frame</numerusform>
            <numerusform>%Ln frames</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tags of %n clip(s)</source>
        <translation>
            <numerusform>tags of %n clip</numerusform>
            <numerusform>tags of %n clips</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move %n clip(s) to the trash</source>
        <translation>
            <numerusform>move %n clip to the trash</numerusform>
            <numerusform>move %n clips to the trash</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::LibraryView</name>
    <message numerus="yes">
        <source>%Ln frame(s) at %1 fps</source>
        <translation>
            <numerusform>%Ln frame at %1 fps</numerusform>
            <numerusform>%Ln frames at %1 fps</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Copy %n clip(s) into</source>
        <translation>
            <numerusform>Copy %n clip into</numerusform>
            <numerusform>Copy %n clips into</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Copying %n clip(s)…</source>
        <translation>
            <numerusform>Copying %n clip…</numerusform>
            <numerusform>Copying %n clips…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n clip(s) copied into %1, with all that is known of them.</source>
        <translation>
            <numerusform>%n clip copied into %1, with all that is known of it.</numerusform>
            <numerusform>%n clips copied into %1, with all that is known of them.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n clip(s) moved to the trash. Undo brings them back.</source>
        <translation>
            <numerusform>%n clip moved to the trash. Undo brings it back.</numerusform>
            <numerusform>%n clips moved to the trash. Undo brings them back.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::MainWindow</name>
    <message numerus="yes">
        <source>Settings of %1: %n change(s)</source>
        <translation>
            <numerusform>Settings of %1: %n change</numerusform>
            <numerusform>Settings of %1: %n changes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>and %n more</numerusform>
            <numerusform>and %n more</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n GPU(s)</source>
        <translation>
            <numerusform>%n GPU</numerusform>
            <numerusform>%n GPUs</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>CPU, %n core(s)</source>
        <translation>
            <numerusform>CPU, %n core</numerusform>
            <numerusform>CPU, %n cores</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln waiting</source>
        <translation>
            <numerusform>%Ln waiting</numerusform>
            <numerusform>%Ln waiting</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::ModelsView</name>
    <message numerus="yes">
        <source>%Ln file(s) seen, models among them: %L1</source>
        <translation>
            <numerusform>%Ln file seen, models among them: %L1</numerusform>
            <numerusform>%Ln files seen, models among them: %L1</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::QueueView</name>
    <message numerus="yes">
        <source>%Ln waiting</source>
        <translation>
            <numerusform>%Ln waiting</numerusform>
            <numerusform>%Ln waiting</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::RunCompareView</name>
    <message numerus="yes">
        <source>%n setting(s) differ.</source>
        <translation>
            <numerusform>%n setting differs.</numerusform>
            <numerusform>%n settings differ.</numerusform>
        </translation>
    </message>
</context>
</TS>
