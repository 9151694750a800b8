# Completion of pushrod's command line for fish. The program itself says what may follow, so this never grows old.
# Install it as pushrod.fish in a directory of $fish_complete_path, or: pushrod completion fish | source

function __pushrod_complete
    set -l words (commandline -opc) (commandline -ct)
    for candidate in ($words[1] complete $words[2..] 2>/dev/null)
        if test "$candidate" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $candidate
        end
    end
end
complete --command pushrod --no-files --arguments '(__pushrod_complete)'
