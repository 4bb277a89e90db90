<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
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
</TS>
