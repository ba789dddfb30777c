# Completion of clown for PowerShell. Add it to the file named by $PROFILE.
Register-ArgumentCompleter -Native -CommandName clown -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        Select-Object -Skip 1 |
        ForEach-Object { $_.ToString() })
    # Older versions drop an empty word on the way to a program.
    if ($wordToComplete -eq '') { $words = @('--next') + $words }
    & clown __complete @words 2>$null | Where-Object { $_ -notlike ':*' } | ForEach-Object {
        $word, $help = $_ -split "`t", 2
        if (-not $help) { $help = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $help)
    }
}
