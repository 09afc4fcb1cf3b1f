@rem The scripts of package.json use exec, so that a signal reaches their program instead of a shell. Windows has none.
@%*
