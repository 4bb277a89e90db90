<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>CopyCommand</name>
    <message>
        <source>The command line is copied. Its file is there already, so the command will ask for another name behind -o.</source>
        <translation>Die Befehlszeile ist kopiert. Ihre Datei gibt es schon, daher wird der Befehl einen anderen Namen hinter -o verlangen.</translation>
    </message>
    <message>
        <source>The command line is copied.</source>
        <translation>Die Befehlszeile ist kopiert.</translation>
    </message>
    <message>
        <source>Its settings were not kept, so there is no command line for it.</source>
        <translation>Die Einstellungen sind nicht aufbewahrt, daher gibt es dafür keine Befehlszeile.</translation>
    </message>
    <message>
        <source>Write what the video shows.</source>
        <translation>Schreiben Sie, was das Video zeigt.</translation>
    </message>
</context>
<context>
    <name>ExportClips</name>
    <message>
        <source>%1 cannot be read.</source>
        <translation>%1 kann nicht gelesen werden.</translation>
    </message>
    <message>
        <source>%1 is not there any more; nothing was copied.</source>
        <translation>%1 ist nicht mehr da; nichts wurde kopiert.</translation>
    </message>
    <message>
        <source>The copies take %1, but only %2 are free in %3.</source>
        <translation>Die Kopien brauchen %1, aber in %3 sind nur %2 frei.</translation>
    </message>
</context>
<context>
    <name>Fields</name>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>What the video shows</source>
        <translation>Was das Video zeigt</translation>
    </message>
    <message>
        <source>Not in the clip</source>
        <translation>Nicht im Clip</translation>
    </message>
    <message>
        <source>What the video should not show</source>
        <translation>Was das Video nicht zeigen soll</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>The model that makes the clip</source>
        <translation>Das Modell, das den Clip erzeugt</translation>
    </message>
    <message>
        <source>First frame</source>
        <translation>Erstes Bild</translation>
    </message>
    <message>
        <source>The picture that the clip begins with: a file of yours</source>
        <translation>Das Bild, mit dem der Clip beginnt: eine eigene Datei</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>pixels</source>
        <translation>Pixel</translation>
    </message>
    <message>
        <source>Width and height of the clip</source>
        <translation>Breite und Höhe des Clips</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Länge</translation>
    </message>
    <message>
        <source>frames</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>How many frames the clip has; most models take a multiple of four and one more</source>
        <translation>Wie viele Bilder der Clip hat; die meisten Modelle nehmen ein Vielfaches von vier und eins dazu</translation>
    </message>
    <message>
        <source>Frame rate</source>
        <translation>Bildrate</translation>
    </message>
    <message>
        <source>fps</source>
        <translation>Bilder/s</translation>
    </message>
    <message>
        <source>Frames that are shown in a second</source>
        <translation>Bilder, die in einer Sekunde gezeigt werden</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Schritte</translation>
    </message>
    <message>
        <source>Steps of denoising: more take longer and show finer detail</source>
        <translation>Schritte der Entrauschung: mehr dauern länger und zeigen feinere Einzelheiten</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>Führung (CFG)</translation>
    </message>
    <message>
        <source>How strictly the prompt is followed; at 1 there is no guidance</source>
        <translation>Wie streng dem Prompt gefolgt wird; bei 1 gibt es keine Führung</translation>
    </message>
    <message>
        <source>Guidance, second expert</source>
        <translation>Führung, zweiter Experte</translation>
    </message>
    <message>
        <source>Guidance of the second expert, of models that have two</source>
        <translation>Führung des zweiten Experten bei Modellen, die zwei haben</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Startwert</translation>
    </message>
    <message>
        <source>Seed of the noise: the same seed gives the same clip</source>
        <translation>Startwert (Seed) des Rauschens: der gleiche Startwert ergibt den gleichen Clip</translation>
    </message>
    <message>
        <source>Prompt length</source>
        <translation>Promptlänge</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>How many tokens of the prompt are used</source>
        <translation>Wie viele Token des Prompts verwendet werden</translation>
    </message>
    <message>
        <source>Latent frame rate</source>
        <translation>Latente Bildrate</translation>
    </message>
    <message>
        <source>How the rate of latent frames is chosen</source>
        <translation>Wie die Rate der latenten Bilder gewählt wird</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>Attention</translation>
    </message>
    <message>
        <source>How attention is computed</source>
        <translation>Wie die Attention berechnet wird</translation>
    </message>
    <message>
        <source>Reuse of steps</source>
        <translation>Wiederverwendung von Schritten</translation>
    </message>
    <message>
        <source>What is reused between the steps of denoising</source>
        <translation>Was zwischen den Schritten der Entrauschung wiederverwendet wird</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Where to compute</source>
        <translation>Wo gerechnet wird</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <source>Precision of the computation; auto: float32 on the CPU, bfloat16 on a GPU</source>
        <translation>Genauigkeit der Rechnung; auto: float32 auf der CPU, bfloat16 auf einer GPU</translation>
    </message>
    <message>
        <source>GPU memory to leave</source>
        <translation>Freizulassender GPU-Speicher</translation>
    </message>
    <message>
        <source>Memory of the GPU that is left to other programs</source>
        <translation>GPU-Speicher, der anderen Programmen bleibt</translation>
    </message>
    <message>
        <source>Memory limit</source>
        <translation>Speichergrenze</translation>
    </message>
    <message>
        <source>Memory of the computer that a render may take</source>
        <translation>Arbeitsspeicher, den ein Rendern belegen darf</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>Titel</translation>
    </message>
    <message>
        <source>Title for the lists and for the file</source>
        <translation>Titel für die Listen und für die Datei</translation>
    </message>
    <message>
        <source>Keep latents</source>
        <translation>Latents behalten</translation>
    </message>
    <message>
        <source>Keeps the folder with the finished latents</source>
        <translation>Behält den Ordner mit den fertigen Latents</translation>
    </message>
    <message>
        <source>Write how it was made</source>
        <translation>Herkunft mitschreiben</translation>
    </message>
    <message>
        <source>Writes how the clip was made into the file and beside it</source>
        <translation>Schreibt in die Datei und daneben, wie der Clip entstanden ist</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>The file that is written</source>
        <translation>Die Datei, die geschrieben wird</translation>
    </message>
    <message>
        <source>Overwrite</source>
        <translation>Überschreiben</translation>
    </message>
    <message>
        <source>What happens when the file exists</source>
        <translation>Was geschieht, wenn es die Datei schon gibt</translation>
    </message>
    <message>
        <source>Identifier</source>
        <translation>Kennung</translation>
    </message>
    <message>
        <source>Identifier in reports</source>
        <translation>Kennung in Berichten</translation>
    </message>
    <message>
        <source>a new one</source>
        <translation>ein neuer</translation>
    </message>
    <message>
        <source>none</source>
        <translation>nichts</translation>
    </message>
    <message>
        <source>what is free</source>
        <translation>was frei ist</translation>
    </message>
    <message>
        <source>the model&apos;s</source>
        <translation>wie vom Modell vorgegeben</translation>
    </message>
    <message>
        <source>on</source>
        <translation>ein</translation>
    </message>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
    <message>
        <source>%1 to %2</source>
        <translation>%1 bis %2</translation>
    </message>
    <message>
        <source>%1 to %2 a side</source>
        <translation>%1 bis %2 je Seite</translation>
    </message>
    <message>
        <source>0 or more</source>
        <translation>0 oder mehr</translation>
    </message>
    <message>
        <source>an amount such as 1.5GiB or 800MB</source>
        <translation>eine Menge wie 1.5GiB oder 800MB</translation>
    </message>
</context>
<context>
    <name>Report</name>
    <message>
        <source>yes</source>
        <translation>ja</translation>
    </message>
    <message>
        <source>no</source>
        <translation>nein</translation>
    </message>
    <message>
        <source>%1 %2</source>
        <comment>a number and its unit</comment>
        <translation>%1 %2</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Phase</source>
        <translation>Phase</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Anteil</translation>
    </message>
    <message>
        <source>The render took %1; what its phases took was not kept.</source>
        <translation>Das Rendern dauerte %1; wie lange die einzelnen Phasen dauerten, ist nicht aufbewahrt.</translation>
    </message>
    <message>
        <source>How long it took was not kept.</source>
        <translation>Wie lange es dauerte, ist nicht aufbewahrt.</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>Together</source>
        <translation>Zusammen</translation>
    </message>
    <message numerus="yes">
        <source>The job was started %n times; this is the last start alone.</source>
        <translation>
            <numerusform>Der Auftrag wurde %n-mal gestartet; dies ist nur der letzte Start.</numerusform>
            <numerusform>Der Auftrag wurde %n-mal gestartet; dies ist nur der letzte Start.</numerusform>
        </translation>
    </message>
    <message>
        <source>As the clip itself says; a file cannot say how long its own writing took.</source>
        <translation>Nach den Angaben des Clips; eine Datei kann nicht sagen, wie lange ihr eigenes Schreiben dauerte.</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Setting</source>
        <translation>Einstellung</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>Wert</translation>
    </message>
    <message>
        <source>The model&apos;s own</source>
        <translation>Die des Modells</translation>
    </message>
    <message>
        <source>The settings were not kept, and the clip does not say them.</source>
        <translation>Die Einstellungen sind nicht aufbewahrt, und der Clip nennt sie nicht.</translation>
    </message>
    <message>
        <source>open</source>
        <translation>offen</translation>
    </message>
    <message>
        <source>the same</source>
        <translation>gleich</translation>
    </message>
    <message>
        <source>The model is not on this machine, so its own settings are not known here.</source>
        <translation>Das Modell ist nicht auf diesem Rechner, daher sind seine eigenen Einstellungen hier nicht bekannt.</translation>
    </message>
    <message>
        <source>Every setting is the model&apos;s own.</source>
        <translation>Jede Einstellung ist die des Modells.</translation>
    </message>
    <message numerus="yes">
        <source>%n setting(s) differ from the model&apos;s own; they come first.</source>
        <translation>
            <numerusform>%n Einstellung weicht von der des Modells ab; sie steht oben.</numerusform>
            <numerusform>%n Einstellungen weichen von denen des Modells ab; sie stehen oben.</numerusform>
        </translation>
    </message>
    <message>
        <source>Model and program</source>
        <translation>Modell und Programm</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Was</translation>
    </message>
    <message>
        <source>Which</source>
        <translation>Welches</translation>
    </message>
    <message>
        <source>Which model and program made it was not kept.</source>
        <translation>Mit welchem Modell und Programm er entstand, ist nicht aufbewahrt.</translation>
    </message>
    <message>
        <source>%1 (practice model)</source>
        <translation>%1 (Übungsmodell)</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Kind of model</source>
        <translation>Art des Modells</translation>
    </message>
    <message>
        <source>Hash of its weights</source>
        <translation>Prüfsumme der Gewichte</translation>
    </message>
    <message>
        <source>Rubato</source>
        <translation>Rubato</translation>
    </message>
    <message>
        <source>revision %1</source>
        <translation>Revision %1</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1 (%2)</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Threads</translation>
    </message>
    <message>
        <source>%1, while: %2</source>
        <translation>%1, dabei: %2</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Speicher</translation>
    </message>
    <message>
        <source>How much</source>
        <translation>Wie viel</translation>
    </message>
    <message>
        <source>How much memory it took was not kept.</source>
        <translation>Wie viel Speicher es brauchte, ist nicht aufbewahrt.</translation>
    </message>
    <message>
        <source>Most of the GPU&apos;s memory</source>
        <translation>GPU-Speicher, höchstens</translation>
    </message>
    <message>
        <source>Most of the computer&apos;s memory</source>
        <translation>Arbeitsspeicher, höchstens</translation>
    </message>
    <message>
        <source>Kept on the device</source>
        <translation>Auslagerung</translation>
    </message>
    <message>
        <source>Memory ran out</source>
        <translation>Speicher reichte nicht</translation>
    </message>
    <message>
        <source>It fitted from the beginning to the end.</source>
        <translation>Es passte von Anfang bis Ende.</translation>
    </message>
    <message>
        <source>Attempts</source>
        <translation>Versuche</translation>
    </message>
    <message>
        <source>When or how often</source>
        <translation>Wann oder wie oft</translation>
    </message>
    <message>
        <source>The course of this run was not kept; only the clip says how it was made.</source>
        <translation>Der Verlauf ist nicht aufbewahrt; nur der Clip sagt, wie er entstand.</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>What went wrong</source>
        <translation>Was schiefging</translation>
    </message>
    <message>
        <source>Queued</source>
        <translation>Eingereiht</translation>
    </message>
    <message>
        <source>Started the last time</source>
        <translation>Zuletzt gestartet</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Gestartet</translation>
    </message>
    <message>
        <source>Ended</source>
        <translation>Beendet</translation>
    </message>
    <message>
        <source>Starts</source>
        <translation>Starts</translation>
    </message>
    <message>
        <source>it was never started</source>
        <translation>nie gestartet</translation>
    </message>
    <message>
        <source>Engines that died with it</source>
        <translation>Dabei abgestürzte Engines</translation>
    </message>
    <message>
        <source>none</source>
        <translation>nichts</translation>
    </message>
    <message>
        <source>Rendered on</source>
        <translation>Gerendert auf</translation>
    </message>
    <message>
        <source>Warnings</source>
        <translation>Warnungen</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Wann</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Warnung</translation>
    </message>
    <message>
        <source>There were none.</source>
        <translation>Es gab keine.</translation>
    </message>
    <message>
        <source>Whether there were any was not kept.</source>
        <translation>Ob es welche gab, ist nicht aufbewahrt.</translation>
    </message>
    <message>
        <source>Files and hashes</source>
        <translation>Dateien und Prüfsummen</translation>
    </message>
    <message>
        <source>The clip is not there any more: it was moved, renamed or deleted.</source>
        <translation>Der Clip ist nicht mehr da: Er wurde verschoben, umbenannt oder gelöscht.</translation>
    </message>
    <message>
        <source>It left no file.</source>
        <translation>Er hinterließ keine Datei.</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Its SHA-256</source>
        <translation>Ihre SHA-256</translation>
    </message>
    <message>
        <source>SHA-256 of the frames</source>
        <translation>SHA-256 der Bilder</translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) of %1 × %2 pixels</source>
        <translation>
            <numerusform>%n Bild mit %1 × %2 Pixeln</numerusform>
            <numerusform>%n Bilder mit %1 × %2 Pixeln</numerusform>
        </translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>Startwert %1</translation>
    </message>
    <message>
        <source>rendered in %1</source>
        <translation>gerendert in %1</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 s</translation>
    </message>
</context>
<context>
    <name>Text</name>
    <message>
        <source>%1 s</source>
        <translation>%1 s</translation>
    </message>
    <message>
        <source>%1 min</source>
        <translation>%1 min</translation>
    </message>
    <message>
        <source>%1 min %2 s</source>
        <translation>%1 min %2 s</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 h %2 min</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>etwa %1</translation>
    </message>
    <message>
        <source>%1 to %2</source>
        <translation>%1 bis %2</translation>
    </message>
    <message>
        <source>today %1</source>
        <translation>heute %1</translation>
    </message>
    <message>
        <source>yesterday %1</source>
        <translation>gestern %1</translation>
    </message>
    <message>
        <source>d MMM yyyy</source>
        <extracomment>How a date is written, by the letters of QDate: 24 Nov 2026</extracomment>
        <translation>d. MMM yyyy</translation>
    </message>
    <message>
        <source>, </source>
        <extracomment>Between the parts of a line: &quot;Rendering, 3 waiting&quot;</extracomment>
        <translation>, </translation>
    </message>
</context>
<context>
    <name>Themes</name>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>High contrast</source>
        <translation>Hoher Kontrast</translation>
    </message>
</context>
<context>
    <name>Trash</name>
    <message>
        <source>There is no trash for %1 on its file system, so nothing was deleted. Taking the clip out of the library leaves its file alone.</source>
        <translation>Für %1 gibt es auf seinem Dateisystem keinen Papierkorb, daher wurde nichts gelöscht. Den Clip aus der Bibliothek zu nehmen lässt seine Datei in Ruhe.</translation>
    </message>
    <message>
        <source>There is no trash for %1 on its file system, and what was moved already lies in %2.</source>
        <translation>Für %1 gibt es auf seinem Dateisystem keinen Papierkorb; was schon verschoben war, liegt in %2.</translation>
    </message>
    <message>
        <source>%1 is not in the trash any more, so it cannot be brought back.</source>
        <translation>%1 ist nicht mehr im Papierkorb und kann daher nicht zurückgeholt werden.</translation>
    </message>
</context>
<context>
    <name>Workspaces</name>
    <message>
        <source>Video</source>
        <translation>Video</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>Warteschlange</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>Bibliothek</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>System</source>
        <translation>System</translation>
    </message>
</context>
<context>
    <name>rubato::ui::CommandPalette</name>
    <message>
        <source>Commands</source>
        <translation>Befehle</translation>
    </message>
    <message>
        <source>What do you want to do?</source>
        <translation>Was soll geschehen?</translation>
    </message>
    <message>
        <source>Search commands</source>
        <translation>Befehle suchen</translation>
    </message>
    <message>
        <source>Matching commands</source>
        <translation>Passende Befehle</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Commands</name>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;Create</source>
        <translation>&amp;Erzeugen</translation>
    </message>
    <message>
        <source>&amp;Play</source>
        <translation>&amp;Wiedergabe</translation>
    </message>
    <message>
        <source>&amp;Queue</source>
        <translation>Warte&amp;schlange</translation>
    </message>
    <message>
        <source>&amp;Library</source>
        <translation>B&amp;ibliothek</translation>
    </message>
    <message>
        <source>&amp;Models</source>
        <translation>&amp;Modelle</translation>
    </message>
    <message>
        <source>&amp;Go</source>
        <translation>&amp;Gehe zu</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>%1 belongs to “%2”; change that first, or choose another.</source>
        <translation>%1 gehört zu „%2“; ändern Sie zuerst das, oder wählen Sie etwas anderes.</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ComparePicture</name>
    <message>
        <source>Edge between the two clips</source>
        <translation>Kante zwischen den beiden Clips</translation>
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
        <translation>Unterschied, vierfach</translation>
    </message>
</context>
<context>
    <name>rubato::ui::CompareView</name>
    <message>
        <source>Wipe</source>
        <translation>Wischen</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Nebeneinander</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Unterschied</translation>
    </message>
    <message>
        <source>Back to the library</source>
        <translation>Zurück zur Bibliothek</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Use the settings of A</source>
        <translation>Einstellungen von A übernehmen</translation>
    </message>
    <message>
        <source>Use the settings of B</source>
        <translation>Einstellungen von B übernehmen</translation>
    </message>
    <message>
        <source>Play both or pause</source>
        <translation>Beide abspielen oder anhalten</translation>
    </message>
    <message>
        <source>Swap A and B</source>
        <translation>A und B tauschen</translation>
    </message>
    <message>
        <source>Both one frame back</source>
        <translation>Beide ein Bild zurück</translation>
    </message>
    <message>
        <source>Both one frame on</source>
        <translation>Beide ein Bild weiter</translation>
    </message>
    <message>
        <source>frame %1 of %2</source>
        <translation>Bild %1 von %2</translation>
    </message>
    <message>
        <source>Loading…</source>
        <translation>Wird geladen…</translation>
    </message>
    <message>
        <source>The clips differ in size, so their frames have no distance.</source>
        <translation>Die Clips sind verschieden groß, darum haben ihre Bilder keinen Abstand.</translation>
    </message>
    <message>
        <source>This frame is the same in both, pixel for pixel.</source>
        <translation>Dieses Bild ist in beiden Pixel für Pixel gleich.</translation>
    </message>
    <message>
        <source>This frame: PSNR %L1 dB</source>
        <translation>Dieses Bild: PSNR %L1 dB</translation>
    </message>
</context>
<context>
    <name>rubato::ui::DoctorView</name>
    <message>
        <source>in order</source>
        <translation>in Ordnung</translation>
    </message>
    <message>
        <source>note</source>
        <translation>Hinweis</translation>
    </message>
    <message>
        <source>look at this</source>
        <translation>bitte ansehen</translation>
    </message>
    <message>
        <source>needs mending</source>
        <translation>muss behoben werden</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Version</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Engine</translation>
    </message>
    <message>
        <source>Isolation</source>
        <translation>Abschottung</translation>
    </message>
    <message>
        <source>GPU</source>
        <translation>GPU</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>Prozessor</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Speicher</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Platte</translation>
    </message>
    <message>
        <source>Media</source>
        <translation>Medien</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>User folders</source>
        <translation>Benutzerordner</translation>
    </message>
    <message>
        <source>Practice model</source>
        <translation>Übungsmodell</translation>
    </message>
    <message>
        <source>Check again</source>
        <translation>Erneut prüfen</translation>
    </message>
    <message>
        <source>Is everything here that a render needs?</source>
        <translation>Ist alles da, was ein Rendern braucht?</translation>
    </message>
    <message>
        <source>Copy the report</source>
        <translation>Bericht kopieren</translation>
    </message>
    <message>
        <source>Findings</source>
        <translation>Befunde</translation>
    </message>
    <message>
        <source>The check cannot run: rubato-cli is not beside this program.</source>
        <translation>Die Prüfung kann nicht laufen: rubato-cli liegt nicht neben diesem Programm.</translation>
    </message>
    <message>
        <source>Looking at this machine; the engine is started for it, which takes some seconds…</source>
        <translation>Dieser Rechner wird geprüft; dafür startet die Engine, was einige Sekunden dauert…</translation>
    </message>
    <message>
        <source>The check gave no answer; run rubato-cli doctor in a terminal.</source>
        <translation>Die Prüfung gab keine Antwort; führen Sie rubato-cli doctor in einem Terminal aus.</translation>
    </message>
    <message>
        <source>Everything is in order.</source>
        <translation>Alles ist in Ordnung.</translation>
    </message>
    <message numerus="yes">
        <source>%n thing(s) to look at.</source>
        <translation>
            <numerusform>%n Punkt ist anzusehen.</numerusform>
            <numerusform>%n Punkte sind anzusehen.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::DraftCheck</name>
    <message>
        <source>Write what the video shows.</source>
        <translation>Schreiben Sie, was das Video zeigt.</translation>
    </message>
</context>
<context>
    <name>rubato::ui::FieldEditor</name>
    <message>
        <source>random</source>
        <translation>zufällig</translation>
    </message>
    <message>
        <source>Draw a seed and keep it</source>
        <translation>Startwert auslosen und behalten</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keins</translation>
    </message>
    <message>
        <source>Choose a file</source>
        <translation>Datei wählen</translation>
    </message>
    <message>
        <source>Choose a picture</source>
        <translation>Bild wählen</translation>
    </message>
    <message>
        <source>Pictures (*.png *.jpg *.jpeg *.webp);;All files (*)</source>
        <translation>Bilder (*.png *.jpg *.jpeg *.webp);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>the model&apos;s</source>
        <translation>vom Modell</translation>
    </message>
</context>
<context>
    <name>rubato::ui::FilterBar</name>
    <message>
        <source>Search prompts, tags, models, seeds, file names</source>
        <translation>Prompts, Tags, Modelle, Startwerte, Dateinamen</translation>
    </message>
    <message>
        <source>Search the library</source>
        <translation>Bibliothek durchsuchen</translation>
    </message>
    <message>
        <source>Only clips with a star</source>
        <translation>Nur Clips mit Stern</translation>
    </message>
    <message>
        <source>Show all clips</source>
        <translation>Alle Clips zeigen</translation>
    </message>
    <message>
        <source>All models</source>
        <translation>Alle Modelle</translation>
    </message>
    <message>
        <source>All tags</source>
        <translation>Alle Tags</translation>
    </message>
    <message>
        <source>Any day</source>
        <translation>Jeder Tag</translation>
    </message>
    <message>
        <source>All sizes</source>
        <translation>Alle Größen</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Tag</source>
        <translation>Tag</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>Entstanden</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Heute</translation>
    </message>
    <message>
        <source>The last 7 days</source>
        <translation>7 Tage</translation>
    </message>
    <message>
        <source>The last 30 days</source>
        <translation>30 Tage</translation>
    </message>
</context>
<context>
    <name>rubato::ui::FirstRun</name>
    <message>
        <source>Welcome to Rubato</source>
        <translation>Willkommen bei Rubato</translation>
    </message>
    <message>
        <source>Clips from a sentence, made on this machine. Nothing is downloaded or sent anywhere.</source>
        <translation>Clips aus einem Satz, auf diesem Rechner erzeugt. Nichts wird heruntergeladen oder irgendwohin gesendet.</translation>
    </message>
    <message>
        <source>Try it with the practice model</source>
        <translation>Mit dem Übungsmodell ausprobieren</translation>
    </message>
    <message>
        <source>A small model that came with Rubato: shapes and simple motions, on any machine, in seconds.</source>
        <translation>Ein kleines Modell, das Rubato mitbringt: Formen und einfache Bewegungen, auf jedem Rechner, in Sekunden.</translation>
    </message>
    <message>
        <source>I have models: choose their folder</source>
        <translation>Ich habe Modelle: ihren Ordner wählen</translation>
    </message>
    <message>
        <source>Wan 2.1 and 2.2 checkpoints, as a hub cache or in folders. They are read where they lie.</source>
        <translation>Checkpoints von Wan 2.1 und 2.2, als Hub-Cache oder in Ordnern. Sie werden gelesen, wo sie liegen.</translation>
    </message>
    <message>
        <source>Just look around</source>
        <translation>Nur umsehen</translation>
    </message>
    <message>
        <source>You can come back to this page from the Help menu.</source>
        <translation>Über das Menü „Hilfe“ kommen Sie auf diese Seite zurück.</translation>
    </message>
</context>
<context>
    <name>rubato::ui::LibraryModel</name>
    <message>
        <source>take “%1” out of the library</source>
        <translation>„%1“ aus der Bibliothek nehmen</translation>
    </message>
    <message numerus="yes">
        <source>%Ln frame(s)</source>
        <translation>
            <numerusform>%Ln Bild</numerusform>
            <numerusform>%Ln Bilder</numerusform>
        </translation>
    </message>
    <message>
        <source>starred</source>
        <translation>mit Stern</translation>
    </message>
    <message numerus="yes">
        <source>tags of %n clip(s)</source>
        <translation>
            <numerusform>Tags von %n Clip</numerusform>
            <numerusform>Tags von %n Clips</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move %n clip(s) to the trash</source>
        <translation>
            <numerusform>%n Clip in den Papierkorb legen</numerusform>
            <numerusform>%n Clips in den Papierkorb legen</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 is not there any more; take the clip out of the library instead.</source>
        <translation>%1 ist nicht mehr da; nehmen Sie den Clip stattdessen aus der Bibliothek.</translation>
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
        <translation>Noch keine Clips</translation>
    </message>
    <message>
        <source>Every clip that is rendered here appears in the library, with all of its settings.</source>
        <translation>Jeder hier gerenderte Clip erscheint in der Bibliothek, mit allen seinen Einstellungen.</translation>
    </message>
    <message>
        <source>Write a clip</source>
        <translation>Clip schreiben</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>Show all clips</source>
        <translation>Alle Clips zeigen</translation>
    </message>
    <message>
        <source>Search the library</source>
        <translation>Bibliothek durchsuchen</translation>
    </message>
    <message>
        <source>Clip</source>
        <translation>Clip</translation>
    </message>
    <message>
        <source>Clips</source>
        <translation>Clips</translation>
    </message>
    <message>
        <source>Show on the stage</source>
        <translation>Auf der Bühne zeigen</translation>
    </message>
    <message>
        <source>Use its settings</source>
        <translation>Einstellungen übernehmen</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>Mit Stern versehen</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Nachprüfen</translation>
    </message>
    <message>
        <source>Compare two clips</source>
        <translation>Zwei Clips vergleichen</translation>
    </message>
    <message>
        <source>Open its folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Copy the path</source>
        <translation>Pfad kopieren</translation>
    </message>
    <message>
        <source>Take out of the library</source>
        <translation>Aus der Bibliothek nehmen</translation>
    </message>
    <message>
        <source>Taken out of the library; the file stays. Undo brings it back.</source>
        <translation>Aus der Bibliothek genommen; die Datei bleibt. „Rückgängig“ holt den Clip zurück.</translation>
    </message>
    <message>
        <source>Choose two clips to compare: click one, then the other with Ctrl.</source>
        <translation>Wählen Sie zwei Clips zum Vergleichen: einen anklicken, den anderen mit Strg.</translation>
    </message>
    <message>
        <source>No clip is chosen.</source>
        <translation>Kein Clip ist gewählt.</translation>
    </message>
    <message>
        <source>%1 × %2 pixels</source>
        <translation>%1 × %2 Pixel</translation>
    </message>
    <message numerus="yes">
        <source>%Ln frame(s) at %1 fps</source>
        <translation>
            <numerusform>%Ln Bild mit %1 Bildern/s</numerusform>
            <numerusform>%Ln Bilder mit %1 Bildern/s</numerusform>
        </translation>
    </message>
    <message>
        <source>Seed %1</source>
        <translation>Startwert %1</translation>
    </message>
    <message>
        <source>Model %1</source>
        <translation>Modell %1</translation>
    </message>
    <message>
        <source>rendered in %1</source>
        <translation>gerendert in %1</translation>
    </message>
    <message>
        <source>Take the star away</source>
        <translation>Stern wegnehmen</translation>
    </message>
    <message>
        <source>No clip has all that is looked for.</source>
        <translation>Kein Clip hat alles, was gesucht wird.</translation>
    </message>
    <message>
        <source>Run report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Copy as command line</source>
        <translation>Als Befehlszeile kopieren</translation>
    </message>
    <message>
        <source>Go to what differs</source>
        <translation>Zu den Unterschieden</translation>
    </message>
    <message>
        <source>Edit the tags</source>
        <translation>Tags bearbeiten</translation>
    </message>
    <message>
        <source>Copy into a folder…</source>
        <translation>In einen Ordner kopieren…</translation>
    </message>
    <message>
        <source>Move to the trash</source>
        <translation>In den Papierkorb</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Mehr</translation>
    </message>
    <message numerus="yes">
        <source>Copy %n clip(s) into</source>
        <translation>
            <numerusform>%n Clip kopieren nach</numerusform>
            <numerusform>%n Clips kopieren nach</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Copying %n clip(s)…</source>
        <translation>
            <numerusform>%n Clip wird kopiert…</numerusform>
            <numerusform>%n Clips werden kopiert…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n clip(s) copied into %1, with all that is known of them.</source>
        <translation>
            <numerusform>%n Clip nach %1 kopiert, mit allem, was über ihn bekannt ist.</numerusform>
            <numerusform>%n Clips nach %1 kopiert, mit allem, was über sie bekannt ist.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n clip(s) moved to the trash. Undo brings them back.</source>
        <translation>
            <numerusform>%n Clip liegt im Papierkorb. „Rückgängig“ holt ihn zurück.</numerusform>
            <numerusform>%n Clips liegen im Papierkorb. „Rückgängig“ holt sie zurück.</numerusform>
        </translation>
    </message>
    <message>
        <source>What differs</source>
        <translation>Was sich unterscheidet</translation>
    </message>
</context>
<context>
    <name>rubato::ui::MainWindow</name>
    <message numerus="yes">
        <source>Settings of %1: %n change(s)</source>
        <translation>
            <numerusform>Einstellungen von %1: %n Änderung</numerusform>
            <numerusform>Einstellungen von %1: %n Änderungen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>und %n weitere</numerusform>
            <numerusform>und %n weitere</numerusform>
        </translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Undo %1</source>
        <translation>Rückgängig: %1</translation>
    </message>
    <message>
        <source>Redo %1</source>
        <translation>Wiederholen: %1</translation>
    </message>
    <message>
        <source>Folder for new clips…</source>
        <translation>Ordner für neue Clips…</translation>
    </message>
    <message>
        <source>Folder for new clips</source>
        <translation>Ordner für neue Clips</translation>
    </message>
    <message>
        <source>New clips go to %1.</source>
        <translation>Neue Clips kommen nach %1.</translation>
    </message>
    <message>
        <source>Take the settings of a file…</source>
        <translation>Einstellungen einer Datei übernehmen…</translation>
    </message>
    <message>
        <source>A clip, picture or job file made by Rubato</source>
        <translation>Ein Clip, ein Bild oder eine Auftragsdatei von Rubato</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Start with empty settings</source>
        <translation>Mit leeren Einstellungen beginnen</translation>
    </message>
    <message>
        <source>empty settings</source>
        <translation>leere Einstellungen</translation>
    </message>
    <message>
        <source>Preferences…</source>
        <translation>Voreinstellungen…</translation>
    </message>
    <message>
        <source>Find a command…</source>
        <translation>Befehl suchen…</translation>
    </message>
    <message>
        <source>Shortcuts…</source>
        <translation>Tastenkürzel…</translation>
    </message>
    <message>
        <source>Theme: %1</source>
        <translation>Farben: %1</translation>
    </message>
    <message>
        <source>Reset the layout of this page</source>
        <translation>Anordnung dieser Seite zurücksetzen</translation>
    </message>
    <message>
        <source>What is this?</source>
        <translation>Was ist das?</translation>
    </message>
    <message>
        <source>Welcome page</source>
        <translation>Willkommensseite</translation>
    </message>
    <message>
        <source>Workspaces</source>
        <translation>Arbeitsbereiche</translation>
    </message>
    <message>
        <source>Last message</source>
        <translation>Letzte Meldung</translation>
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
            <numerusform>CPU, %n Kern</numerusform>
            <numerusform>CPU, %n Kerne</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 free</source>
        <translation>%1 frei</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Look at the queue</source>
        <translation>Warteschlange ansehen</translation>
    </message>
    <message>
        <source>Rendering</source>
        <translation>Rendert</translation>
    </message>
    <message>
        <source>Queue paused</source>
        <translation>Warteschlange hält</translation>
    </message>
    <message>
        <source>Idle</source>
        <translation>Bereit</translation>
    </message>
    <message numerus="yes">
        <source>%Ln waiting</source>
        <translation>
            <numerusform>%Ln wartet</numerusform>
            <numerusform>%Ln warten</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>rubato::ui::ModelPicker</name>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Practice video</source>
        <translation>Übungsvideo</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ModelsModel</name>
    <message>
        <source>video, practice</source>
        <translation>Video, Übung</translation>
    </message>
    <message>
        <source>video</source>
        <translation>Video</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Makes</source>
        <translation>Erzeugt</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Wo</translation>
    </message>
    <message>
        <source>missing: %1</source>
        <translation>fehlt: %1</translation>
    </message>
    <message>
        <source>complete</source>
        <translation>vollständig</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>beschädigt</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ModelsView</name>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Parts of the chosen model</source>
        <translation>Teile des gewählten Modells</translation>
    </message>
    <message>
        <source>Rubato reads diffusers folders (with model_index.json and its parts) and Hugging Face hub caches, where they lie, and never changes or downloads them. Weights must be safetensors: a pickle (.pt, .pth, .ckpt, .bin) can run code when it is opened, so it is refused.</source>
        <translation>Rubato liest Diffusers-Ordner (mit model_index.json und seinen Teilen) und Hub-Caches von Hugging Face, wo sie liegen; es ändert nichts daran und lädt nichts herunter. Gewichte müssen safetensors sein: Ein Pickle (.pt, .pth, .ckpt, .bin) kann beim Öffnen Code ausführen und wird darum abgelehnt.</translation>
    </message>
    <message>
        <source>Add a folder with models…</source>
        <translation>Ordner mit Modellen hinzufügen…</translation>
    </message>
    <message>
        <source>Look for models again</source>
        <translation>Erneut nach Modellen suchen</translation>
    </message>
    <message>
        <source>Folders</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Folders with models</source>
        <translation>Ordner mit Modellen</translation>
    </message>
    <message>
        <source>Add a folder…</source>
        <translation>Ordner hinzufügen…</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>Erneut suchen</translation>
    </message>
    <message>
        <source>A folder with models</source>
        <translation>Ein Ordner mit Modellen</translation>
    </message>
    <message>
        <source>Looking for models…</source>
        <translation>Modelle werden gesucht…</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) seen, models among them: %L1</source>
        <translation>
            <numerusform>%Ln Datei gesehen, Modelle darunter: %L1</numerusform>
            <numerusform>%Ln Dateien gesehen, Modelle darunter: %L1</numerusform>
        </translation>
    </message>
    <message>
        <source>Add the folder of your checkpoints to use them; the practice model is always here.</source>
        <translation>Fügen Sie den Ordner Ihrer Checkpoints hinzu, um sie zu verwenden; das Übungsmodell ist immer da.</translation>
    </message>
    <message>
        <source>%1: there, %2</source>
        <translation>%1: vorhanden, %2</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Notice</name>
    <message>
        <source>Close this message</source>
        <translation>Meldung schließen</translation>
    </message>
</context>
<context>
    <name>rubato::ui::PhaseBar</name>
    <message>
        <source>%1: %2</source>
        <comment>phase: time</comment>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>Time by phase</source>
        <translation>Zeit nach Phasen</translation>
    </message>
</context>
<context>
    <name>rubato::ui::PictureView</name>
    <message>
        <source>Stage</source>
        <translation>Bühne</translation>
    </message>
</context>
<context>
    <name>rubato::ui::PreferencesDialog</name>
    <message>
        <source>Preferences</source>
        <translation>Voreinstellungen</translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation>&amp;Sprache</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>&amp;Farben</translation>
    </message>
    <message>
        <source>Sentences about what went wrong inside the engine are still in English.</source>
        <translation>Sätze darüber, was in der Engine schiefging, sind noch englisch.</translation>
    </message>
    <message>
        <source>&amp;Shortcuts…</source>
        <translation>&amp;Tastenkürzel…</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>S&amp;chließen</translation>
    </message>
    <message>
        <source>Language of the window</source>
        <translation>Sprache des Fensters</translation>
    </message>
    <message>
        <source>Theme of the window</source>
        <translation>Farben des Fensters</translation>
    </message>
    <message>
        <source>As the system has it</source>
        <translation>Wie im System eingestellt</translation>
    </message>
</context>
<context>
    <name>rubato::ui::PromptPanel</name>
    <message>
        <source>What the video shows, in one sentence or several</source>
        <translation>Was das Video zeigt, in einem Satz oder mehreren</translation>
    </message>
    <message>
        <source>as the model says</source>
        <translation>wie das Modell vorgibt</translation>
    </message>
    <message>
        <source>Prompts to begin with</source>
        <translation>Prompts für den Anfang</translation>
    </message>
    <message>
        <source>Not in the clip</source>
        <translation>Nicht im Clip</translation>
    </message>
    <message>
        <source>Practice model: shapes, colours and simple motions, written in lower case. It is a toy to try the studio with.</source>
        <translation>Übungsmodell: Formen, Farben und einfache Bewegungen, englisch und klein geschrieben. Ein Spielzeug, um das Studio auszuprobieren.</translation>
    </message>
</context>
<context>
    <name>rubato::ui::QueueModel</name>
    <message>
        <source>Starting the engine</source>
        <translation>Engine startet</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 von %2</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>noch %1</translation>
    </message>
    <message>
        <source>Job</source>
        <translation>Auftrag</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Added</source>
        <translation>Hinzugefügt</translation>
    </message>
    <message>
        <source>The engine died twice with this job; look at its log before trying again</source>
        <translation>Die Engine ist mit diesem Auftrag zweimal abgestürzt; sehen Sie sein Protokoll an, bevor Sie es erneut versuchen</translation>
    </message>
    <message>
        <source>Goes on where it stopped</source>
        <translation>Geht weiter, wo er aufgehört hat</translation>
    </message>
    <message>
        <source>Waits for another job</source>
        <translation>Wartet auf einen anderen Auftrag</translation>
    </message>
    <message>
        <source>in %1</source>
        <translation>in %1</translation>
    </message>
    <message>
        <source>The queue is paused</source>
        <translation>Die Warteschlange ist angehalten</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Rendering</source>
        <translation>Rendert</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Gescheitert</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>Abgebrochen</translation>
    </message>
    <message>
        <source>Interrupted</source>
        <translation>Unterbrochen</translation>
    </message>
    <message>
        <source>Needs you</source>
        <translation>Braucht Sie</translation>
    </message>
    <message>
        <source>Waits</source>
        <translation>Wartet noch</translation>
    </message>
    <message>
        <source>Loading the model</source>
        <translation>Modell wird geladen</translation>
    </message>
    <message>
        <source>Reading the prompt</source>
        <translation>Prompt wird gelesen</translation>
    </message>
    <message>
        <source>Denoising</source>
        <translation>Entrauschen</translation>
    </message>
    <message>
        <source>Decoding</source>
        <translation>Dekodieren</translation>
    </message>
    <message>
        <source>Writing the file</source>
        <translation>Datei wird geschrieben</translation>
    </message>
    <message>
        <source>“Try again” goes on from its last checkpoint</source>
        <translation>„Erneut versuchen“ geht vom letzten Sicherungspunkt aus weiter</translation>
    </message>
</context>
<context>
    <name>rubato::ui::QueueView</name>
    <message>
        <source>The queue is empty</source>
        <translation>Die Warteschlange ist leer</translation>
    </message>
    <message>
        <source>What you render waits here, survives a crash, and goes on where it stopped.</source>
        <translation>Was Sie rendern, wartet hier, übersteht einen Absturz und geht weiter, wo es aufgehört hat.</translation>
    </message>
    <message>
        <source>Write a clip</source>
        <translation>Clip schreiben</translation>
    </message>
    <message>
        <source>Log of the chosen job</source>
        <translation>Protokoll des gewählten Auftrags</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>Nach oben</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>Nach unten</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Aus der Liste entfernen</translation>
    </message>
    <message>
        <source>Remove all that have ended</source>
        <translation>Alle beendeten entfernen</translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation>Aufträge</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Paused: what runs ends, nothing new begins.</source>
        <translation>Angehalten: Was läuft, wird fertig; nichts Neues beginnt.</translation>
    </message>
    <message>
        <source>Paused: %1</source>
        <translation>Angehalten: %1</translation>
    </message>
    <message numerus="yes">
        <source>%Ln waiting</source>
        <translation>
            <numerusform>%Ln wartet</numerusform>
            <numerusform>%Ln warten</numerusform>
        </translation>
    </message>
    <message>
        <source>Run report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Copy as command line</source>
        <translation>Als Befehlszeile kopieren</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RenderBar</name>
    <message>
        <source>Preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <source>Stop after this step</source>
        <translation>Nach diesem Schritt anhalten</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Progress of the render</source>
        <translation>Fortschritt des Renderns</translation>
    </message>
    <message>
        <source>Ends the render when the current step is done; what is done is kept for a retry</source>
        <translation>Beendet das Rendern nach dem laufenden Schritt; das Fertige bleibt für einen neuen Versuch</translation>
    </message>
    <message>
        <source>Ends the render at once; it goes on from the last checkpoint when it is tried again</source>
        <translation>Beendet das Rendern sofort; ein neuer Versuch geht vom letzten Sicherungspunkt aus weiter</translation>
    </message>
    <message>
        <source>Show on the stage what is being rendered</source>
        <translation>Auf der Bühne zeigen, was gerade gerendert wird</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RenderDesk</name>
    <message>
        <source>One moment: the settings are being checked.</source>
        <translation>Einen Moment: Die Einstellungen werden geprüft.</translation>
    </message>
    <message>
        <source>The folder %1 cannot be made: %2.</source>
        <translation>Der Ordner %1 kann nicht angelegt werden: %2.</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RenderModel</name>
    <message>
        <source>Starting the engine</source>
        <translation>Engine startet</translation>
    </message>
    <message>
        <source>%1, step %2 of %3</source>
        <translation>%1, Schritt %2 von %3</translation>
    </message>
    <message>
        <source>%1, %2 of %3</source>
        <translation>%1, %2 von %3</translation>
    </message>
    <message>
        <source>Stopping</source>
        <translation>Hält an</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>noch %1</translation>
    </message>
    <message>
        <source>%1 so far</source>
        <translation>bisher %1</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RenderPanel</name>
    <message>
        <source>Render</source>
        <translation>Rendern</translation>
    </message>
    <message>
        <source>Puts the clip behind what the queue holds already</source>
        <translation>Stellt den Clip hinter das, was schon in der Warteschlange steht</translation>
    </message>
    <message>
        <source>Render next</source>
        <translation>Als Nächstes rendern</translation>
    </message>
    <message>
        <source>Puts the clip in front of what waits in the queue</source>
        <translation>Stellt den Clip vor das, was in der Warteschlange wartet</translation>
    </message>
    <message>
        <source>Vary the seed</source>
        <translation>Startwert variieren</translation>
    </message>
    <message>
        <source>Renders the same settings once more with a new seed</source>
        <translation>Rendert dieselben Einstellungen noch einmal mit neuem Startwert</translation>
    </message>
    <message>
        <source>Render with four new seeds</source>
        <translation>Mit vier neuen Startwerten rendern</translation>
    </message>
    <message>
        <source>Four jobs that differ by their seed alone</source>
        <translation>Vier Aufträge, die sich nur im Startwert unterscheiden</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1 (%2)</translation>
    </message>
    <message>
        <source>fits</source>
        <translation>passt</translation>
    </message>
    <message>
        <source>fits, with parts loaded in turn</source>
        <translation>passt, wenn Teile nacheinander geladen werden</translation>
    </message>
    <message>
        <source>may not fit</source>
        <translation>passt vielleicht nicht</translation>
    </message>
    <message>
        <source>Memory: %1</source>
        <translation>Speicher: %1</translation>
    </message>
    <message>
        <source>Time: not measured here yet</source>
        <translation>Zeit: hier noch nicht gemessen</translation>
    </message>
    <message>
        <source>Time: about %1, estimated from another size</source>
        <translation>Zeit: etwa %1, aus einer anderen Größe geschätzt</translation>
    </message>
    <message>
        <source>Time: about %1, as measured here</source>
        <translation>Zeit: etwa %1, wie hier gemessen</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ReportDialog</name>
    <message>
        <source>Reading the run…</source>
        <translation>Der Lauf wird gelesen…</translation>
    </message>
    <message>
        <source>Copy as JSON</source>
        <translation>Als JSON kopieren</translation>
    </message>
    <message>
        <source>Save as JSON…</source>
        <translation>Als JSON speichern…</translation>
    </message>
    <message>
        <source>Run report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>This run is not known any more.</source>
        <translation>Dieser Lauf ist nicht mehr bekannt.</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>Bericht speichern</translation>
    </message>
    <message>
        <source>The report was not saved</source>
        <translation>Der Bericht wurde nicht gespeichert</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RunCompareView</name>
    <message>
        <source>open</source>
        <translation>offen</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 s</translation>
    </message>
    <message>
        <source>%1 s (%2 %)</source>
        <translation>%1 s (%2 %)</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Setting</source>
        <translation>Einstellung</translation>
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
        <translation>Beide Läufe haben dieselben Einstellungen.</translation>
    </message>
    <message>
        <source>The settings of one of them are not known.</source>
        <translation>Die Einstellungen von einem der beiden sind nicht bekannt.</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Phase</source>
        <translation>Phase</translation>
    </message>
    <message>
        <source>What the phases took is not known of both.</source>
        <translation>Wie lange die Phasen dauerten, ist nicht von beiden bekannt.</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>unbekannt</translation>
    </message>
    <message>
        <source>Together</source>
        <translation>Zusammen</translation>
    </message>
    <message>
        <source>Of what both have</source>
        <translation>Was beide haben</translation>
    </message>
    <message>
        <source>They were rendered on different devices.</source>
        <translation>Sie wurden auf verschiedenen Geräten gerendert.</translation>
    </message>
    <message>
        <source>Show what is alike, too</source>
        <translation>Auch Gleiches zeigen</translation>
    </message>
    <message>
        <source>What differs between the two runs</source>
        <translation>Was die beiden Läufe unterscheidet</translation>
    </message>
    <message>
        <source>Reading the runs…</source>
        <translation>Die Läufe werden gelesen…</translation>
    </message>
    <message numerus="yes">
        <source>%n setting(s) differ.</source>
        <translation>
            <numerusform>%n Einstellung unterscheidet sich.</numerusform>
            <numerusform>%n Einstellungen unterscheiden sich.</numerusform>
        </translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Änderung</translation>
    </message>
</context>
<context>
    <name>rubato::ui::RunnerEngine</name>
    <message>
        <source>Rendering has ended: %1. Start Rubato again to go on; the queue is kept.</source>
        <translation>Das Rendern ist beendet: %1. Starten Sie Rubato neu, um fortzufahren; die Warteschlange bleibt erhalten.</translation>
    </message>
</context>
<context>
    <name>rubato::ui::SettingsForm</name>
    <message>
        <source>Takes: %1</source>
        <translation>Nimmt: %1</translation>
    </message>
    <message>
        <source>By default: %1</source>
        <translation>Voreinstellung: %1</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>Erweitert</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <comment>setting (unit)</comment>
        <translation>%1 (%2)</translation>
    </message>
    <message>
        <source>Back to the default</source>
        <translation>Zurück zur Voreinstellung</translation>
    </message>
    <message>
        <source>Reset %1</source>
        <translation>%1 zurücksetzen</translation>
    </message>
</context>
<context>
    <name>rubato::ui::ShortcutsDialog</name>
    <message>
        <source>Shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Search commands or keys</source>
        <translation>Befehle oder Tasten suchen</translation>
    </message>
    <message>
        <source>Search shortcuts</source>
        <translation>Tastenkürzel suchen</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Befehl</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Menü</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>New shortcut</source>
        <translation>Neues Tastenkürzel</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Setzen</translation>
    </message>
    <message>
        <source>As delivered</source>
        <translation>Wie ausgeliefert</translation>
    </message>
    <message>
        <source>No shortcut</source>
        <translation>Kein Kürzel</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Saved.</source>
        <translation>Gespeichert.</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Stage</name>
    <message>
        <source>Position</source>
        <translation>Position</translation>
    </message>
    <message>
        <source>Play or pause</source>
        <translation>Abspielen oder anhalten</translation>
    </message>
    <message>
        <source>Backwards, again faster</source>
        <translation>Rückwärts, erneut schneller</translation>
    </message>
    <message>
        <source>Stand still</source>
        <translation>Stehen bleiben</translation>
    </message>
    <message>
        <source>Forwards, again faster</source>
        <translation>Vorwärts, erneut schneller</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>Ein Bild zurück</translation>
    </message>
    <message>
        <source>One frame on</source>
        <translation>Ein Bild weiter</translation>
    </message>
    <message>
        <source>Ten frames back</source>
        <translation>Zehn Bilder zurück</translation>
    </message>
    <message>
        <source>Ten frames on</source>
        <translation>Zehn Bilder weiter</translation>
    </message>
    <message>
        <source>To the first frame</source>
        <translation>Zum ersten Bild</translation>
    </message>
    <message>
        <source>To the last frame</source>
        <translation>Zum letzten Bild</translation>
    </message>
    <message>
        <source>Mark in</source>
        <translation>Anfang setzen</translation>
    </message>
    <message>
        <source>Mark out</source>
        <translation>Ende setzen</translation>
    </message>
    <message>
        <source>Clear in and out</source>
        <translation>Anfang und Ende löschen</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>Schleife</translation>
    </message>
    <message>
        <source>%1×</source>
        <comment>speed</comment>
        <translation>%1×</translation>
    </message>
    <message>
        <source>Second and frame</source>
        <translation>Sekunde und Bild</translation>
    </message>
    <message>
        <source>%L1 s · %2/%3</source>
        <translation>%L1 s · %2/%3</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Studio</name>
    <message>
        <source>The studio of Rubato: clips from a sentence, on your own machine.</source>
        <translation>Das Studio von Rubato: Clips aus einem Satz, auf dem eigenen Rechner.</translation>
    </message>
    <message>
        <source>Keep settings, queue and library in this folder</source>
        <translation>Einstellungen, Warteschlange und Bibliothek in diesem Ordner halten</translation>
    </message>
    <message>
        <source>A clip made by Rubato, or a job file: take its settings</source>
        <translation>Ein Clip von Rubato oder eine Auftragsdatei: deren Einstellungen übernehmen</translation>
    </message>
    <message>
        <source>“%1” was not rendered: %2</source>
        <translation>„%1“ wurde nicht gerendert: %2</translation>
    </message>
    <message>
        <source>Done in %1. The clip is in the library.</source>
        <translation>Fertig in %1. Der Clip ist in der Bibliothek.</translation>
    </message>
    <message>
        <source>These are the settings already.</source>
        <translation>Das sind schon die Einstellungen.</translation>
    </message>
    <message>
        <source>settings of %1</source>
        <translation>Einstellungen von %1</translation>
    </message>
    <message>
        <source>open</source>
        <translation>offen</translation>
    </message>
    <message>
        <source>%1: %2 → %3</source>
        <translation>%1: %2 → %3</translation>
    </message>
    <message>
        <source>Stopped. %1</source>
        <translation>Angehalten. %1</translation>
    </message>
</context>
<context>
    <name>rubato::ui::TagEditor</name>
    <message>
        <source>Tags</source>
        <translation>Tags</translation>
    </message>
    <message>
        <source>Words with commas between them; Enter keeps them</source>
        <translation>Wörter mit Kommas dazwischen; die Eingabetaste behält sie</translation>
    </message>
    <message>
        <source>Tags: sea, night</source>
        <translation>Tags: Meer, Nacht</translation>
    </message>
</context>
<context>
    <name>rubato::ui::TimeStrip</name>
    <message>
        <source>Frame</source>
        <translation>Bild</translation>
    </message>
</context>
<context>
    <name>rubato::ui::Verifier</name>
    <message>
        <source>The clip cannot be verified: rubato-cli is not beside this program.</source>
        <translation>Der Clip kann nicht nachgeprüft werden: rubato-cli liegt nicht neben diesem Programm.</translation>
    </message>
    <message>
        <source>One clip is being verified already.</source>
        <translation>Es wird schon ein Clip nachgeprüft.</translation>
    </message>
    <message>
        <source>Rendering the clip&apos;s job again to compare the frames…</source>
        <translation>Der Auftrag des Clips wird erneut gerendert, um die Bilder zu vergleichen…</translation>
    </message>
</context>
<context>
    <name>rubato::ui::VideoDraft</name>
    <message>
        <source>change of %1</source>
        <translation>Änderung von „%1“</translation>
    </message>
</context>
<context>
    <name>rubato::ui::VideoWorkspace</name>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>No clip yet</source>
        <translation>Noch kein Clip</translation>
    </message>
    <message>
        <source>Write on the left what the video shows, then render it. The preview appears here.</source>
        <translation>Schreiben Sie links, was das Video zeigt, und rendern Sie es. Die Vorschau erscheint hier.</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Preview after step %1</source>
        <translation>Vorschau nach Schritt %1</translation>
    </message>
    <message>
        <source>Copy as command line</source>
        <translation>Als Befehlszeile kopieren</translation>
    </message>
    <message>
        <source>The line of rubato-cli that renders these settings</source>
        <translation>Die Zeile für rubato-cli, die diese Einstellungen rendert</translation>
    </message>
</context>
</TS>
